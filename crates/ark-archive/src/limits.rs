//! How much a reader takes from an archive before it gives up.
//!
//! Plain numbers; this module enforces nothing itself.

/// Caps for reading what comes out of a bucket.
///
/// The defaults let through everything that Kubernetes can store and that the
/// writer of this crate produces; they stop archives made to exhaust memory,
/// disk or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one object's JSON. The API server stores 1.5 MiB unless tuned.
    pub item_bytes: u64,
    /// Bytes of the whole archive after unpacking, tar headers included.
    pub total_bytes: u64,
    /// Entries in an archive, or in an index.
    pub entries: u64,
    /// Bytes of one path inside the tarball, and of one extended header.
    pub path_bytes: usize,
    /// Bytes out per byte in, judged once [`Limits::ratio_grace`] bytes came out.
    /// Deflate reaches 1032 at most, so a higher value turns the check off.
    pub ratio: u64,
    /// Unpacked bytes before the ratio is judged.
    pub ratio_grace: u64,
    /// Unpacked bytes of one gzip member that an index speaks of.
    pub member_bytes: u64,
    /// Unpacked bytes of an index.
    pub index_bytes: u64,
    /// Unpacked bytes of one side file.
    pub side_bytes: u64,
}

/// The largest object the writer accepts, so that default limits can read it.
pub const MAX_ITEM_BYTES: u64 = 64 << 20;

/// The largest member size the writer can be set to.
pub const MAX_MEMBER_BYTES: usize = 64 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            item_bytes: MAX_ITEM_BYTES,
            total_bytes: 1 << 40,
            entries: 20_000_000,
            path_bytes: 8 << 10,
            ratio: 500,
            ratio_grace: 256 << 20,
            // One item short of a full member, then the largest item, written twice.
            member_bytes: MAX_MEMBER_BYTES as u64 + 2 * MAX_ITEM_BYTES + (1 << 20),
            index_bytes: 2 << 30,
            side_bytes: 256 << 20,
        }
    }
}
