"""Who may ask what: tokens, passwords, sessions, and the gate that every request goes through.

In: requests as ASGI hands them over, files of tokens and passwords.
Out: requests that may go on, with the scopes they have; refusals for the others.
May import: foundation.
"""
