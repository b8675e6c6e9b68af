//! Report sources made into blocks of rows. Does not know the org.
