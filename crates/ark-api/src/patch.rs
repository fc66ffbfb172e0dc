//! Changing documents made by others: merge patches (RFC 7386) between two
//! states of a typed value, and rewriting a document without losing what this
//! version does not know. Pure functions.
//!
//! Typed values of this crate have no `null` members, which is what makes a
//! merge patch exact: in such a patch `null` means removal.

use serde::Serialize;
use serde_json::{Map, Value};

/// A value could not be written as JSON.
#[derive(Debug, thiserror::Error)]
#[error("cannot compare two states of an object as JSON")]
pub struct PatchError(#[from] serde_json::Error);

/// The merge patch that makes `after` of `before`; none when they are equal.
/// Arrays are replaced as a whole.
pub fn merge_patch<T: Serialize>(before: &T, after: &T) -> Result<Option<Value>, PatchError> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    Ok((before != after).then(|| difference(&before, after)))
}

fn difference(before: &Value, after: Value) -> Value {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            Value::Object(members_changed(before, after))
        }
        (_, after) => after,
    }
}

fn members_changed(before: &Map<String, Value>, after: Map<String, Value>) -> Map<String, Value> {
    let mut patch: Map<String, Value> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .map(|key| (key.clone(), Value::Null))
        .collect();
    for (key, after) in after {
        match before.get(&key) {
            Some(before) if *before == after => {}
            Some(before) => {
                let change = difference(before, after);
                patch.insert(key, change);
            }
            None => {
                patch.insert(key, after);
            }
        }
    }
    patch
}

/// Applies a merge patch.
pub fn apply(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (key, value) in patch {
        if value.is_null() {
            members.remove(key);
        } else {
            apply(members.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// `original` with the change from `before` to `after` carried out in it.
///
/// `before` is what this version read from `original`. Whatever it did not
/// read, because it does not know the field or because a zero value stands for
/// an absent one, stays as it is. In arrays, elements that did not change, and
/// all elements where none was added or removed, keep what they had; elements
/// of a list of another length that did change are written anew.
pub fn edit<T: Serialize>(original: &Value, before: &T, after: &T) -> Result<Value, PatchError> {
    let (before, after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
    Ok(carry(original, &before, after))
}

fn carry(original: &Value, before: &Value, after: Value) -> Value {
    if *before == after {
        return original.clone();
    }
    match (original, before, after) {
        (Value::Object(original), Value::Object(before), Value::Object(after)) => {
            Value::Object(carry_members(original, before, after))
        }
        (Value::Array(original), Value::Array(before), Value::Array(after))
            if original.len() == before.len() =>
        {
            Value::Array(carry_elements(original, before, after))
        }
        (_, _, after) => after,
    }
}

fn carry_members(
    original: &Map<String, Value>,
    before: &Map<String, Value>,
    mut after: Map<String, Value>,
) -> Map<String, Value> {
    // Members keep their order, new ones come last.
    let mut result = Map::new();
    for (key, value) in original {
        match (before.get(key), after.remove(key)) {
            (Some(before), Some(after)) => {
                result.insert(key.clone(), carry(value, before, after));
            }
            (None, Some(after)) => {
                result.insert(key.clone(), after);
            }
            (None, None) => {
                result.insert(key.clone(), value.clone());
            }
            (Some(_), None) => {}
        }
    }
    // What reading filled in and nobody changed needs no writing.
    result.extend(
        after
            .into_iter()
            .filter(|(key, value)| before.get(key) != Some(value)),
    );
    result
}

fn carry_elements(original: &[Value], before: &[Value], after: Vec<Value>) -> Vec<Value> {
    if before.len() == after.len() {
        let states = original.iter().zip(before).zip(after);
        return states
            .map(|((original, before), after)| carry(original, before, after))
            .collect();
    }
    let mut unused: Vec<(&Value, &Value)> = original.iter().zip(before).collect();
    let keep = |after: Value| match unused.iter().position(|(_, before)| **before == after) {
        Some(at) => unused.remove(at).0.clone(),
        None => after,
    };
    after.into_iter().map(keep).collect()
}

#[cfg(test)]
mod tests;
