//! The documents keep up with the program: every key of the schemas is explained, every test that is named exists.
