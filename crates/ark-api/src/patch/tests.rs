//! Merge patches are exact for documents without `null` members, and editing
//! is exact for what both sides know and changes nothing else.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// JSON as typed values make it: no member of an object is null.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            // Within arrays null has no special meaning.
            prop::collection::vec(
                prop_oneof![4 => inner.clone(), 1 => Just(Value::Null)],
                0..5
            )
            .prop_map(Value::from),
            prop::collection::btree_map("[a-d]", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn patching_before_gives_after(before in document(), after in document()) {
        match merge_patch(&before, &after).unwrap() {
            None => prop_assert_eq!(before, after),
            Some(patch) => {
                let mut patched = before;
                apply(&mut patched, &patch);
                prop_assert_eq!(patched, after);
            }
        }
    }

    #[test]
    fn editing_before_itself_gives_after(before in document(), after in document()) {
        prop_assert_eq!(edit(&before, &before, &after).unwrap(), after);
    }

    #[test]
    fn unknown_members_survive(before in document(), after in document()) {
        let wrap = |value: &Value| json!({ "known": value });
        let original = json!({ "known": before, "unknown": { "a": [null, 1] }, "nothing": null });
        let edited = edit(&original, &wrap(&before), &wrap(&after)).unwrap();
        prop_assert_eq!(edited, json!({ "known": after, "unknown": { "a": [null, 1] }, "nothing": null }));
    }
}

#[test]
fn equal_states_need_no_patch() {
    assert_eq!(
        merge_patch(&json!({"a": [1]}), &json!({"a": [1]})).unwrap(),
        None
    );
    let patch = merge_patch(
        &json!({"a": {"b": 1, "c": 2}, "d": 3}),
        &json!({"a": {"b": 1}, "d": 4}),
    )
    .unwrap();
    assert_eq!(patch, Some(json!({"a": {"c": null}, "d": 4})));
}

#[test]
fn elements_keep_what_was_not_read() {
    let original = json!([{"name": "a", "new": 1}, {"name": "b", "new": 2}]);
    let before = json!([{"name": "a"}, {"name": "b"}]);
    let edited = |after: Value| edit(&original, &before, &after).unwrap();
    assert_eq!(
        edited(json!([{"name": "b"}])),
        json!([{"name": "b", "new": 2}])
    );
    assert_eq!(
        edited(json!([{"name": "b"}, {"name": "x"}, {"name": "a"}])),
        json!([{"name": "b", "new": 2}, {"name": "x"}, {"name": "a", "new": 1}]),
    );
    assert_eq!(
        edited(json!([{"name": "a"}, {"name": "c"}])),
        json!([{"name": "a", "new": 1}, {"name": "c", "new": 2}])
    );
}

#[test]
fn zero_values_of_the_original_stay() {
    let original = json!({"warnings": 0, "list": [], "gone": "x", "set": 0});
    let edited = edit(&original, &json!({"gone": "x"}), &json!({"set": 3})).unwrap();
    assert_eq!(edited, json!({"warnings": 0, "list": [], "set": 3}));
}
