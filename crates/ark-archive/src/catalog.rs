//! The list of what an archive holds and where, the same from an index and from
//! a spooled archive.
//!
//! A catalog knows places, not bytes: reading is up to [`crate::index`] and
//! [`crate::spool`]. It keeps about 70 bytes per object plus the name.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;

use crate::key::{GroupResource, ItemKey};

/// What the objects of one run have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Group {
    /// What kind of objects.
    pub group_resource: GroupResource,
    /// Their namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Their API version without the group, `v1`; `None` when the archive does
    /// not tell (format versions before 1.1.0).
    pub version: Option<String>,
    /// Whether the cluster preferred that version: what a restore uses by default.
    pub preferred: bool,
}

/// One object in the archive.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Kind, namespace, version.
    pub group: &'a Group,
    /// Object name.
    pub name: &'a str,
    /// Number of the gzip member that holds the JSON; 0 in a spooled archive.
    pub member: u32,
    /// Where the JSON begins, in bytes from the start of the unpacked member, or
    /// of the spool.
    pub offset: u64,
    /// Length of the JSON in bytes.
    pub len: u32,
    /// SHA-256 of the JSON.
    pub sha256: &'a [u8; 32],
}

impl Entry<'_> {
    /// Which object.
    pub fn key(&self) -> ItemKey {
        ItemKey {
            group_resource: self.group.group_resource.clone(),
            namespace: self.group.namespace.clone(),
            name: self.name.to_owned(),
        }
    }

    /// Its API version without the group, when known.
    pub fn version(&self) -> Option<&str> {
        self.group.version.as_deref()
    }

    /// Whether the cluster preferred that version.
    pub fn preferred(&self) -> bool {
        self.group.preferred
    }
}

/// The same object is in the list twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the archive holds {key} twice")]
pub struct DuplicateItem {
    /// Which object.
    pub key: ItemKey,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    offset: u64,
    group: u32,
    name_start: u32,
    name_len: u16,
    /// A second copy of an object whose first is listed.
    hidden: bool,
    member: u32,
    len: u32,
    sha256: [u8; 32],
}

/// Everything an archive holds.
#[derive(Debug, Default)]
pub struct Catalog {
    groups: Vec<Group>,
    /// Rank of each group's kind and namespace among all.
    ranks: Vec<u32>,
    names: String,
    records: Vec<Record>,
    /// Record numbers by kind, namespace, name.
    sorted: Vec<u32>,
}

impl Catalog {
    /// The objects in the order of the archive, each once, in the version that
    /// the cluster preferred.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.records
            .iter()
            .filter(|r| !r.hidden && self.groups[r.group as usize].preferred)
            .map(|r| self.entry(r))
    }

    /// The objects in the order of the archive, with other versions and with
    /// second copies that differ from the first.
    pub fn iter_all(&self) -> impl Iterator<Item = Entry<'_>> {
        self.records.iter().map(|r| self.entry(r))
    }

    /// The objects of one kind, by namespace and name, in the preferred version.
    pub fn iter_kind(&self, kind: &GroupResource) -> impl Iterator<Item = Entry<'_>> {
        let before = |wanted: Ordering| {
            move |at: &u32| self.group_of(*at).group_resource.cmp(kind) == wanted
        };
        let start = self.sorted.partition_point(before(Ordering::Less));
        let len = self.sorted[start..].partition_point(before(Ordering::Equal));
        self.sorted[start..start + len]
            .iter()
            .map(|at| &self.records[*at as usize])
            .filter(|r| !r.hidden && self.groups[r.group as usize].preferred)
            .map(|r| self.entry(r))
    }

    /// One object in the preferred version.
    pub fn find(&self, key: &ItemKey) -> Option<Entry<'_>> {
        self.copies(key).find(Entry::preferred)
    }

    /// One object in a certain version.
    pub fn find_version(&self, key: &ItemKey, version: &str) -> Option<Entry<'_>> {
        self.copies(key)
            .find(|entry| entry.version() == Some(version))
    }

    /// Every copy of one object, the one to use by default first.
    pub fn copies(&self, key: &ItemKey) -> impl Iterator<Item = Entry<'_>> {
        let range = self.range_of(key);
        self.sorted[range]
            .iter()
            .map(|at| self.entry(&self.records[*at as usize]))
    }

    /// The kinds that have objects here, sorted.
    pub fn group_resources(&self) -> Vec<&GroupResource> {
        let mut kinds: Vec<_> = self.groups.iter().map(|g| &g.group_resource).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// How many objects [`Catalog::iter`] gives.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is no object at all.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    fn entry<'a>(&'a self, record: &'a Record) -> Entry<'a> {
        Entry {
            group: &self.groups[record.group as usize],
            name: self.name(record),
            member: record.member,
            offset: record.offset,
            len: record.len,
            sha256: &record.sha256,
        }
    }

    fn name(&self, record: &Record) -> &str {
        let start = record.name_start as usize;
        &self.names[start..start + usize::from(record.name_len)]
    }

    fn group_of(&self, at: u32) -> &Group {
        &self.groups[self.records[at as usize].group as usize]
    }

    fn range_of(&self, key: &ItemKey) -> Range<usize> {
        let order = |at: &u32| {
            let group = self.group_of(*at);
            (&group.group_resource, &group.namespace)
                .cmp(&(&key.group_resource, &key.namespace))
                .then_with(|| self.name(&self.records[*at as usize]).cmp(&key.name))
        };
        let start = self
            .sorted
            .partition_point(|at| order(at) == Ordering::Less);
        let len = self.sorted[start..].partition_point(|at| order(at) == Ordering::Equal);
        start..start + len
    }
}

/// Collects entries in the order of the archive.
#[derive(Debug, Default)]
pub(crate) struct CatalogBuilder {
    catalog: Catalog,
    numbers: HashMap<Group, u32>,
}

/// Where an entry's JSON lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) member: u32,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) sha256: [u8; 32],
}

impl CatalogBuilder {
    /// The number of a group, the same for an equal one; `u32::MAX`, which
    /// [`CatalogBuilder::push`] refuses, when there are too many.
    pub(crate) fn group(&mut self, group: Group) -> u32 {
        let groups = &mut self.catalog.groups;
        *self.numbers.entry(group).or_insert_with_key(|group| {
            groups.push(group.clone());
            u32::try_from(groups.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Adds an entry of a group that [`CatalogBuilder::group`] numbered. False
    /// when there are more than a catalog can address.
    pub(crate) fn push(&mut self, group: u32, name: &str, place: Place) -> bool {
        let catalog = &mut self.catalog;
        let (Ok(name_start), Ok(name_len), Ok(_)) = (
            u32::try_from(catalog.names.len()),
            u16::try_from(name.len()),
            u32::try_from(catalog.records.len()),
        ) else {
            return false;
        };
        if group == u32::MAX {
            return false;
        }
        catalog.names.push_str(name);
        let Place {
            member,
            offset,
            len,
            sha256,
        } = place;
        let hidden = false;
        catalog.records.push(Record {
            offset,
            group,
            name_start,
            name_len,
            hidden,
            member,
            len,
            sha256,
        });
        true
    }

    /// Sorts, refuses duplicates, and decides for objects that are there both
    /// outside version folders and in the preferred version's: the first is
    /// listed and takes over the version, the second is hidden.
    pub(crate) fn finish(mut self) -> Result<Catalog, DuplicateItem> {
        self.sort();
        let mut gone = vec![false; self.catalog.records.len()];
        let mut start = 0;
        while start < self.catalog.sorted.len() {
            let end = self.end_of_run(start);
            if end > start + 1 {
                self.settle(start..end, &mut gone)?;
            }
            start = end;
        }
        if gone.contains(&true) {
            self.drop_records(&gone);
        }
        Ok(self.catalog)
    }

    fn sort(&mut self) {
        let catalog = &mut self.catalog;
        let scope = |number: &u32| {
            let group = &catalog.groups[*number as usize];
            (&group.group_resource, &group.namespace)
        };
        let mut by_scope: Vec<u32> = (0..).take(catalog.groups.len()).collect();
        by_scope.sort_unstable_by(|a, b| scope(a).cmp(&scope(b)));
        let mut ranks = vec![0; by_scope.len()];
        let mut rank = 0;
        for (i, number) in by_scope.iter().enumerate() {
            if i > 0 && scope(&by_scope[i - 1]) != scope(number) {
                rank += 1;
            }
            ranks[*number as usize] = rank;
        }
        let mut sorted: Vec<u32> = (0..).take(catalog.records.len()).collect();
        sorted.sort_unstable_by(|a, b| {
            let (left, right) = (&catalog.records[*a as usize], &catalog.records[*b as usize]);
            let (g, h) = (
                &catalog.groups[left.group as usize],
                &catalog.groups[right.group as usize],
            );
            ranks[left.group as usize]
                .cmp(&ranks[right.group as usize])
                .then_with(|| catalog.name(left).cmp(catalog.name(right)))
                .then_with(|| h.preferred.cmp(&g.preferred))
                .then_with(|| g.version.cmp(&h.version))
        });
        catalog.ranks = ranks;
        catalog.sorted = sorted;
    }

    fn end_of_run(&self, start: usize) -> usize {
        let catalog = &self.catalog;
        let identity = |at: u32| {
            let record = &catalog.records[at as usize];
            (catalog.ranks[record.group as usize], catalog.name(record))
        };
        let first = identity(catalog.sorted[start]);
        let same = catalog.sorted[start..]
            .iter()
            .take_while(|at| identity(**at) == first)
            .count();
        start + same
    }

    /// One object's copies: preferred ones first, the one without version first.
    fn settle(&mut self, run: Range<usize>, gone: &mut [bool]) -> Result<(), DuplicateItem> {
        let catalog = &mut self.catalog;
        let run = &catalog.sorted[run];
        let preferred = run
            .iter()
            .filter(|at| catalog.group_of(**at).preferred)
            .count();
        let plain = catalog.group_of(run[0]).version.is_none();
        let equal_neighbours = run.windows(2).any(|pair| {
            let (a, b) = (catalog.group_of(pair[0]), catalog.group_of(pair[1]));
            (a.preferred, &a.version) == (b.preferred, &b.version)
        });
        if equal_neighbours || preferred > 1 + usize::from(plain) {
            let record = &catalog.records[run[0] as usize];
            return Err(DuplicateItem {
                key: catalog.entry(record).key(),
            });
        }
        if plain && preferred == 2 {
            let (first, second) = (run[0] as usize, run[1] as usize);
            catalog.records[first].group = catalog.records[second].group;
            catalog.records[second].hidden = true;
            gone[second] = catalog.records[first].sha256 == catalog.records[second].sha256;
        }
        Ok(())
    }

    /// Second copies with the very same bytes are not worth their memory.
    fn drop_records(&mut self, gone: &[bool]) {
        let catalog = &mut self.catalog;
        let mut number = 0;
        let numbers: Vec<u32> = gone
            .iter()
            .map(|gone| {
                let this = number;
                number += u32::from(!gone);
                this
            })
            .collect();
        catalog.sorted.retain(|at| !gone[*at as usize]);
        for at in &mut catalog.sorted {
            *at = numbers[*at as usize];
        }
        let mut flags = gone.iter();
        catalog.records.retain(|_| flags.next() == Some(&false));
        catalog.records.shrink_to_fit();
    }
}
