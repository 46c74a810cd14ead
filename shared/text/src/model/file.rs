//! A model as a file: `GSMODEL`, a version, the BLAKE3 hash of the rest, and the rest in postcard.

use super::decide::Decision;
use super::{Model, ModelError};

/// How every model file begins.
pub(super) const MAGIC: &[u8] = b"GSMODEL";
/// Version of the file and of everything that decides what a feature is. A file of another version is refused: train it again.
pub const VERSION: u8 = 5;

const HASH: usize = 32;
const HEAD: usize = MAGIC.len() + 1 + HASH;

/// The bytes of a model file.
///
/// # Errors
/// The model can't be written.
pub fn write(model: &Model) -> Result<Vec<u8>, ModelError> {
    let payload = postcard::to_stdvec(model).map_err(|e| ModelError::Damaged(e.to_string()))?;
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    bytes.extend_from_slice(MAGIC);
    bytes.push(VERSION);
    bytes.extend_from_slice(blake3::hash(&payload).as_bytes());
    bytes.extend_from_slice(&payload);
    Ok(bytes)
}

/// Reads a model file.
///
/// # Errors
/// It is none, of another version, or damaged.
pub fn read(bytes: &[u8]) -> Result<Model, ModelError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(ModelError::NoModel)?;
    let (version, rest) = rest.split_first().ok_or(ModelError::NoModel)?;
    if *version != VERSION {
        return Err(ModelError::Version(*version));
    }
    let (hash, payload) = rest.split_at_checked(HASH).ok_or_else(|| ModelError::Damaged("it ends too early".to_owned()))?;
    if blake3::hash(payload).as_bytes() != hash {
        return Err(ModelError::Damaged("its hash is not the one it was written with".to_owned()));
    }
    let model: Model = postcard::from_bytes(payload).map_err(|e| ModelError::Damaged(e.to_string()))?;
    if model.heads.iter().any(|h| !is_whole(h)) {
        return Err(ModelError::Damaged("a head lacks weights".to_owned()));
    }
    Ok(model)
}

fn is_whole(trained: &super::TrainedHead) -> bool {
    let (head, labels) = (&trained.head, trained.head.labels.len());
    let one_each = [head.scale.len(), head.crossed_scale.len(), head.bias.len()].iter().all(|n| *n == labels);
    let decided = match &trained.decision {
        Decision::One { .. } => true,
        Decision::Many { labels: each } => each.len() == labels,
    };
    labels > 0
        && one_each
        && decided
        && head.has_meanings()
        && head.table.is_whole(labels)
        && head.crossed.as_ref().is_none_or(|c| c.is_whole(labels))
}
