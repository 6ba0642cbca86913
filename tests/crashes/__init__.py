"""The process is killed, again and again; nothing may be lost or doubled."""
