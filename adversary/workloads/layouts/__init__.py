"""Request traces as people have them: what each tool writes, and one reader for all of it.

:mod:`known` is the table of layouts, one entry each; :mod:`content` opens files within bounds;
:mod:`delimited`, :mod:`objects` and :mod:`parquet` take rows out of what is in them;
:mod:`lengths` and :mod:`times` say which values can be used.
"""
