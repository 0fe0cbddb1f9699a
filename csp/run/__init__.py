"""`./run`: what turns a checkout into a running CSP.

install    makes .venv at the locked versions (standard library only)
place      where the data lies, and the one-line problem that a person is told
engines    a private PostgreSQL and a private Valkey out of wheels, on Unix sockets
keeper     the small process that holds the engines for as long as anybody uses them
manage     `./run manage`: migrate when needed, then Django's own command line
serve      `./run`: the supervisor of web, worker, clock, beat and mail door
web        gunicorn's settings, in development and in production
testing    the pytest plugin that gives a test run engines of its own
lint       `./run lint` and `./run format`

Nothing here imports Django but manage and testing: the launcher must start fast and must work while the site is broken.
"""
