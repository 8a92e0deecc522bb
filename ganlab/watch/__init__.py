"""A live page of a run: the report as it forms, on a loopback server.

`server` answers a browser and is started without NumPy; `watcher` reads what has
changed; `document` is the report as the page takes it; `page` is the page.
"""
