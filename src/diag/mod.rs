//! Problems as data: codes, severities, spans, hints. Does not know where they are printed.
