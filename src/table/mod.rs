//! Bytes made into blocks of rows. Does not know what a cell means.
