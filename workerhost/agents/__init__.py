"""Agents' processes: started under a shim, followed, ended, never left over."""
