//! The plan as data. Does not know how it was computed or is carried out.
