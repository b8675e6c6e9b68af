//! What an emulated org does over its socket, beyond the shapes that recordings show.
