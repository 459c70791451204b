"""What a fleet logged: loads of ranks step by step, the times of steps, the power of devices.

``formats`` says what is read, ``read`` reads it; what comes out are the arrays of ``loads`` and
``power``, or one line that names file, line, field and what would help.
"""
