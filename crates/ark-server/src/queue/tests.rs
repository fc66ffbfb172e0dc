//! What the queue promises, by example and by following many backups to the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn entry(name: &str, standing: Standing, second: i64, namespaces: &[&str]) -> Entry {
    Entry {
        name: name.to_owned(),
        standing,
        created: Timestamp::from_second(second).ok(),
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
    }
}

fn turns(entries: &[Entry], slots: usize) -> Vec<(String, Turn)> {
    arrange(entries, slots)
        .into_iter()
        .map(|(entry, turn)| (entry.name.clone(), turn))
        .collect()
}

#[test]
fn places_first_then_the_oldest() {
    let entries = [
        entry("young", Standing::New, 9, &["a"]),
        entry("old", Standing::New, 1, &["a"]),
        entry("second", Standing::Queued(2), 5, &["a"]),
        entry("first", Standing::Queued(1), 7, &["a"]),
    ];
    let expected = [
        ("first".to_owned(), Turn::Start),
        ("second".to_owned(), Turn::Wait(1)),
        ("old".to_owned(), Turn::Wait(2)),
        ("young".to_owned(), Turn::Wait(3)),
    ];
    assert_eq!(turns(&entries, 1), expected);
}

#[test]
fn one_that_waits_for_a_namespace_lets_others_pass_but_not_those_behind_it() {
    let entries = [
        entry("runs", Standing::Running, 1, &["a"]),
        entry("blocked", Standing::Queued(1), 2, &["a", "b"]),
        entry("behind", Standing::Queued(2), 3, &["b"]),
        entry("apart", Standing::Queued(3), 4, &["c"]),
    ];
    let expected = [
        ("blocked".to_owned(), Turn::Wait(1)),
        ("behind".to_owned(), Turn::Wait(2)),
        ("apart".to_owned(), Turn::Start),
    ];
    assert_eq!(turns(&entries, 2), expected);
    assert_eq!(turns(&entries, 1)[2].1, Turn::Wait(3), "no slot is free");
}

#[test]
fn backups_of_nothing_are_in_nobody_s_way() {
    let entries = [
        entry("runs", Standing::Running, 1, &["a"]),
        entry("nothing", Standing::New, 2, &[]),
    ];
    assert_eq!(turns(&entries, 2)[0].1, Turn::Start);
}

fn overlap(one: &Entry, other: &Entry) -> bool {
    !one.namespaces.is_disjoint(&other.namespaces)
}

proptest! {
    /// Backups come, run and end in any order: never two at once that overlap,
    /// never more than slots, those that overlap start in the order in which
    /// they came, places are 1, 2, 3, and all get their turn.
    #[test]
    fn everybody_gets_a_turn_in_order_and_nobody_meets(
        backups in prop::collection::vec(prop::collection::btree_set(0u8..5, 0..4), 1..14),
        slots in 1usize..4,
        picks in prop::collection::vec((any::<bool>(), 0usize..100), 200),
    ) {
        let mut coming: Vec<Entry> = backups
            .iter()
            .enumerate()
            .map(|(n, namespaces)| Entry {
                name: format!("b{n:02}"),
                standing: Standing::New,
                created: Timestamp::from_second(i64::try_from(n).unwrap()).ok(),
                namespaces: namespaces.iter().map(ToString::to_string).collect(),
            })
            .collect();
        coming.reverse();
        let (mut present, mut started): (Vec<Entry>, Vec<Entry>) = (Vec::new(), Vec::new());
        let mut picks = picks.into_iter();
        while !(coming.is_empty() && present.is_empty()) {
            let (arrives, pick) = picks.next().unwrap_or((true, 0));
            match coming.pop() {
                Some(next) if arrives => present.push(next),
                other => {
                    coming.extend(other);
                    let running: Vec<usize> = (0..present.len())
                        .filter(|n| present[*n].standing == Standing::Running)
                        .collect();
                    if !running.is_empty() {
                        present.remove(running[pick % running.len()]);
                    }
                }
            }
            let turns: BTreeMap<String, Turn> = turns(&present, slots).into_iter().collect();
            let mut places = Vec::new();
            for entry in &mut present {
                match turns.get(&entry.name) {
                    None => prop_assert_eq!(entry.standing, Standing::Running),
                    Some(Turn::Wait(place)) => {
                        places.push(*place);
                        entry.standing = Standing::Queued(*place);
                    }
                    Some(Turn::Start) => {
                        entry.standing = Standing::Running;
                        started.push(entry.clone());
                    }
                }
            }
            places.sort_unstable();
            prop_assert_eq!(&places, &(1..).take(places.len()).collect::<Vec<i64>>());
            let running: Vec<&Entry> = present
                .iter()
                .filter(|entry| entry.standing == Standing::Running)
                .collect();
            prop_assert!(running.len() <= slots);
            for (n, one) in running.iter().enumerate() {
                prop_assert!(running[n + 1..].iter().all(|other| !overlap(one, other)));
            }
            // Somebody works as long as somebody waits.
            prop_assert!(!running.is_empty() || present.is_empty());
        }
        prop_assert_eq!(started.len(), backups.len());
        for (n, one) in started.iter().enumerate() {
            for later in &started[n + 1..] {
                prop_assert!(one.name < later.name || !overlap(one, later));
            }
        }
    }
}
