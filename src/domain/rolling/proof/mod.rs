//! The proof of a rolling operation.

mod terrain;

pub use terrain::Terrain;
