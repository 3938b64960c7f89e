"""The command line: arguments and variables come in, text and an exit code go out.

Every command is a thin shell over a function that knows nothing of terminals.
"""
