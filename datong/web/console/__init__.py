"""The console: where operations, sales, finance and administrators look and decide, all of it through `operations`.

`datong.web.console.pages.mount` puts it under a service's address; nothing else is to be known from outside.
"""
