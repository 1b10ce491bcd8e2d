"""The one exception whose message is meant for the user."""


class InputError(Exception):
    """Settings or data of the user's are wrong; the message says what, where and the remedy.

    The ``segue`` command prints it alone, without a traceback, and exits with status 1.
    """
