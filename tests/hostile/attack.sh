# What a hostile process tries. Started as: sh attack.sh REPORT TARGETS
# TARGETS has one `kind name place` a line. REPORT gets `got NAME` for what was reached, `tried` at
# the end. Every kind works where there is no wall: the controls of the suite prove it.
report=$1 targets=$2
word() { tr -c 'A-Za-z0-9_\n' ' ' | grep -q canary; }
while read -r kind name place; do
  case $kind in
    read) word <"$place" ;;
    write) echo canary >>"$place" ;;
    replace) mv "$place" "$place.gone" && echo canary >"$place" ;;
    into) echo canary >"$place/canary" ;;
    socket) printf 'canary\n' | socat -t 1 - UNIX-CONNECT:"$place" | word ;;
    port) printf 'canary\n' | socat -t 1 - TCP:"$place",connect-timeout=3 | word ;;
    # Its own value is written back: where that works, any would.
    switch) value=$(cat "$place") && echo "$value" >"$place" ;;
    listed) grep -q "${place##*:}" "${place%%:*}" ;;
    there) [ -e "$place" ] ;;
    signal) kill -URG "$place" ;;
    same) [ "$(readlink /proc/self/ns/"${place%%:*}")" = "$place" ] ;;
    # By whatever proxy it was given. What answers is no repository, but it answers.
    host)
      no_proxy='' NO_PROXY='' GIT_TERMINAL_PROMPT=0 timeout 9 \
        git ls-remote "http://$place/canary" 2>&1 </dev/null | grep -q 'not valid'
      ;;
  esac 2>/dev/null && echo "got $name" >>"$report"
done <"$targets"
# And something that means to stay.
(setsid nohup sleep "$STAYS" >/dev/null 2>&1 &)
(trap '' HUP INT TERM; sleep "$STAYS") >/dev/null 2>&1 &
echo tried >>"$report"
