//! What the fuzz targets share.

/// Puts the bytes to the reader of this name.
///
/// # Panics
/// If there is no such reader; a test of `natlaw` compares the targets with the readers.
pub fn read(name: &str, bytes: &[u8]) {
    let reader = natlaw::READERS.iter().find(|reader| reader.name == name);
    (reader.expect("a reader of this name").read)(bytes);
}
