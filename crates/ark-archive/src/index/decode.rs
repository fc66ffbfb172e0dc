//! Reads an unpacked index and checks everything it claims.
//!
//! Allocates in proportion to the bytes that are there, never to a number found
//! in them.

use super::{BLOCK, FLAG_NAMESPACED, FLAG_PREFERRED, Index, IndexError, MAGIC, MemberSpan};
use crate::catalog::{CatalogBuilder, Group, Place};
use crate::key::{self, GroupResource, ItemKey, KeyError, Part};
use crate::limits::Limits;

/// Fewest bytes a member, a group and an entry can take.
const MIN_MEMBER: usize = 2;
const MIN_GROUP: usize = 6;
const MIN_ENTRY: usize = 38;

pub(super) fn decode(raw: &[u8], limits: &Limits) -> Result<Index, IndexError> {
    let body = raw
        .strip_prefix(MAGIC.as_slice())
        .ok_or(IndexError::Magic)?;
    let mut input = Input {
        all: raw.len(),
        rest: body,
        section: "members",
    };
    let members = members(&mut input, limits)?;
    input.section = "groups";
    let mut catalog = CatalogBuilder::default();
    let groups = groups(&mut input, limits, &mut catalog)?;
    input.section = "entries";
    entries(&mut input, limits, &members, &groups, &mut catalog)?;
    if !input.rest.is_empty() {
        return Err(IndexError::Trailing {
            bytes: input.rest.len(),
        });
    }
    Ok(Index {
        members,
        catalog: catalog.finish()?,
    })
}

fn members(input: &mut Input<'_>, limits: &Limits) -> Result<Vec<MemberSpan>, IndexError> {
    let count = input.count(MIN_MEMBER, u64::from(u32::MAX))?;
    let mut members = Vec::with_capacity(count);
    let mut offset = 0_u64;
    for _ in 0..count {
        let (len, raw_len) = (input.varint()?, input.varint()?);
        let end = offset.checked_add(len).ok_or_else(|| input.damaged())?;
        if len == 0 || raw_len > limits.member_bytes {
            return Err(input.damaged());
        }
        members.push(MemberSpan {
            offset,
            len,
            raw_len,
        });
        offset = end;
    }
    Ok(members)
}

fn groups(
    input: &mut Input<'_>,
    limits: &Limits,
    catalog: &mut CatalogBuilder,
) -> Result<Vec<(u32, Group)>, IndexError> {
    let count = input.count(MIN_GROUP, limits.entries)?;
    let mut groups = Vec::with_capacity(count);
    for _ in 0..count {
        let flags = input.take(1)?[0];
        if flags & !(FLAG_NAMESPACED | FLAG_PREFERRED) != 0 {
            return Err(input.damaged());
        }
        let (resource, api_group, version) = (input.str()?, input.str()?, input.str()?);
        let namespace = match flags & FLAG_NAMESPACED {
            0 => None,
            _ => Some(input.str()?.to_owned()),
        };
        let checked = || -> Result<GroupResource, KeyError> {
            key::check_version(version)?;
            if let Some(namespace) = &namespace {
                key::check_segment(Part::Namespace, namespace)?;
            }
            GroupResource::new(resource, api_group)
        };
        let group_resource = checked().map_err(|source| input.key_error(source))?;
        let group = Group {
            group_resource,
            namespace,
            version: Some(version.to_owned()),
            preferred: flags & FLAG_PREFERRED != 0,
        };
        groups.push((catalog.group(group.clone()), group));
    }
    Ok(groups)
}

fn entries(
    input: &mut Input<'_>,
    limits: &Limits,
    members: &[MemberSpan],
    groups: &[(u32, Group)],
    catalog: &mut CatalogBuilder,
) -> Result<(), IndexError> {
    let count = input.count(MIN_ENTRY, limits.entries)?;
    let mut member = 0_u64;
    // First byte of the member that the next entry's header may take.
    let mut free = 0_u64;
    for _ in 0..count {
        let group = usize::try_from(input.varint()?)
            .ok()
            .and_then(|number| groups.get(number));
        let (number, group) = group.ok_or_else(|| input.damaged())?;
        let name = input.str()?;
        key::check_segment(Part::Name, name).map_err(|source| input.key_error(source))?;
        let step = input.varint()?;
        let offset = input
            .varint()?
            .checked_mul(BLOCK)
            .ok_or_else(|| input.damaged())?;
        let len = input.varint()?;
        let sha256 = input.hash()?;

        member = member.checked_add(step).ok_or_else(|| input.damaged())?;
        free = if step > 0 { 0 } else { free };
        let place = || -> Option<Place> {
            let member = u32::try_from(member).ok()?;
            let raw_len = members.get(member as usize)?.raw_len;
            let end = offset.checked_add(len)?;
            // The entry's own header lies between it and what is before it.
            let fits = end <= raw_len && offset >= free.checked_add(BLOCK)?;
            let len = u32::try_from(len)
                .ok()
                .filter(|len| u64::from(*len) <= limits.item_bytes)?;
            fits.then_some(Place {
                member,
                offset,
                len,
                sha256,
            })
        };
        let Some(place) = place() else {
            let Group {
                group_resource,
                namespace,
                ..
            } = group.clone();
            let key = Box::new(ItemKey {
                group_resource,
                namespace,
                name: name.to_owned(),
            });
            return Err(IndexError::Place { key });
        };
        free = offset + len;
        if !catalog.push(*number, name, place) {
            return Err(input.damaged());
        }
    }
    Ok(())
}

struct Input<'a> {
    all: usize,
    rest: &'a [u8],
    section: &'static str,
}

impl<'a> Input<'a> {
    fn at(&self) -> usize {
        self.all - self.rest.len()
    }

    fn damaged(&self) -> IndexError {
        IndexError::Damaged {
            section: self.section,
            at: self.at(),
        }
    }

    fn key_error(&self, source: KeyError) -> IndexError {
        IndexError::Key {
            at: self.at(),
            source,
        }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], IndexError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| self.damaged())?;
        self.rest = rest;
        Ok(head)
    }

    /// A number of things that take at least `min_bytes` each: more than the
    /// rest can hold is damage, so that allocating by it is safe.
    fn count(&mut self, min_bytes: usize, max: u64) -> Result<usize, IndexError> {
        let count = self.varint()?;
        if count > max {
            return Err(IndexError::TooMany {
                section: self.section,
                count,
                max,
            });
        }
        usize::try_from(count)
            .ok()
            .filter(|count| *count <= self.rest.len() / min_bytes)
            .ok_or_else(|| self.damaged())
    }

    fn varint(&mut self) -> Result<u64, IndexError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.damaged())
    }

    fn str(&mut self) -> Result<&'a str, IndexError> {
        let len = usize::try_from(self.varint()?).map_err(|_| self.damaged())?;
        std::str::from_utf8(self.take(len)?).map_err(|_| self.damaged())
    }

    fn hash(&mut self) -> Result<[u8; 32], IndexError> {
        self.take(32)?.try_into().map_err(|_| self.damaged())
    }
}
