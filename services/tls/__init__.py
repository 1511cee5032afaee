"""Certificates: read from files, checked, followed while a process runs, and made.

    files       which files, and how they are named when something is wrong with them
    checking    what is in them, as values; a line that says what is wrong
    following   the same again whenever the files change, and the old one where they are bad
    servers     a listener's side, for gRPC and for asyncio
    clients     a caller's side
    authority   a private authority, and what it signs
    diagnosis   why a connection failed, in words

Only :mod:`services.tls.files` is imported by those who may have no certificates.
"""
