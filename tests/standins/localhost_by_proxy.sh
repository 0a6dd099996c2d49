# claude's sandbox tells tools to go to localhost and its subdomains directly, where nothing is;
# our stand-in for GitHub is called github.localhost, as gh speaks plain http to no other host.
export no_proxy='' NO_PROXY=''
