//! What a cell means, by field type. Does not know where cells come from.
