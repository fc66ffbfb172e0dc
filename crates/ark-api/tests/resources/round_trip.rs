//! Resources made by Velero are read and written without loss: known fields by
//! the types, unknown ones by `edit`.

use crate::fixture::{self, members, objects, optional, schema_of};
use serde_json::{Value, json};

/// Paths of fields that the schema has and none of `values` uses.
fn unused(schema: &Value, values: &[&Value], path: &str, found: &mut Vec<String>) {
    for (name, property) in members(schema, "properties") {
        let path = format!("{path}.{name}");
        let inner: Vec<&Value> = values.iter().filter_map(|value| value.get(&name)).collect();
        if inner.is_empty() {
            found.push(path);
            continue;
        }
        let elements: Vec<&Value> = inner
            .iter()
            .filter_map(|value| value.as_array())
            .flatten()
            .collect();
        unused(&property, &inner, &path, found);
        unused(
            property.get("items").unwrap_or(&Value::Null),
            &elements,
            &path,
            found,
        );
    }
}

#[test]
fn fixtures_have_every_field() {
    for fixture in fixture::all() {
        let mut found = Vec::new();
        unused(
            schema_of(fixture.kind),
            &[&fixture.full],
            fixture.kind,
            &mut found,
        );
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn known_fields_survive_reading_and_writing() {
    for fixture in fixture::all() {
        assert_eq!(
            (fixture.rewrite)(&fixture.full).unwrap(),
            fixture.full,
            "{}",
            fixture.kind
        );
    }
}

#[test]
fn minimal_resources_are_read() {
    for (fixture, minimal) in fixture::all().iter().zip(fixture::minimal()) {
        assert_eq!(minimal["kind"], fixture.kind);
        let written = (fixture.rewrite)(&minimal).unwrap();
        for (name, value) in minimal["spec"].as_object().into_iter().flatten() {
            if name != "credential" {
                assert_eq!(&written["spec"][name], value, "{} {name}", fixture.kind);
            }
        }
    }
}

#[test]
fn unknown_fields_survive_an_edit() {
    let future = json!({ "deep": [1, null, { "a": "b" }] });
    for fixture in fixture::all() {
        let mut original = fixture.full.clone();
        let mut count = 0;
        objects(schema_of(fixture.kind), &mut original, &mut |_, object| {
            object.insert("future".to_owned(), future.clone());
            count += 1;
        });
        // The object itself and its status at least.
        assert!(count >= 2, "{}", fixture.kind);
        assert_ne!(
            (fixture.rewrite)(&original).unwrap(),
            original,
            "the types do not know the field"
        );

        let mut expected = original.clone();
        expected["metadata"]["name"] = json!("edited");
        assert_eq!((fixture.edit)(&original), expected, "{}", fixture.kind);
    }
}

/// The zero value of an optional field, where that means the same as absent;
/// for switches and times it does not, and objects are left to the other cases.
fn zero(name: &str, schema: &Value, value: &Value) -> Option<Value> {
    let restricted = schema
        .get("format")
        .or(schema.get("x-kubernetes-validations"));
    match value {
        Value::Array(_) => Some(json!([])),
        Value::Number(_) => Some(json!(0)),
        Value::String(_) if restricted.is_none() && !name.to_lowercase().ends_with("timeout") => {
            Some(json!(""))
        }
        _ => None,
    }
}

#[test]
fn null_and_zero_values_are_the_same_as_absent() {
    for fixture in fixture::all() {
        let schema = schema_of(fixture.kind);
        let given = |schema: &Value, name: &str| name == "status" || !optional(schema, name);
        let mut absent = fixture.full.clone();
        objects(schema, &mut absent, &mut |schema, object| {
            object.retain(|name, _| given(schema, name));
        });
        let mut zeros = fixture.full.clone();
        objects(schema, &mut zeros, &mut |schema, object| {
            // Types of Kubernetes itself keep empty strings.
            let foreign = schema.get("x-kubernetes-map-type").is_some();
            let fields = members(schema, "properties");
            object.retain(|name, value| {
                if given(schema, name) {
                    return true;
                }
                let zero = zero(name, &fields[name], value).filter(|_| !foreign);
                let keep = zero.is_some();
                *value = zero.unwrap_or_default();
                keep
            });
        });
        let expected = (fixture.rewrite)(&absent).unwrap();
        let nulls = fixture::nulled(&fixture);
        assert_eq!(
            (fixture.rewrite)(&nulls).unwrap(),
            expected,
            "{}",
            fixture.kind
        );
        assert_eq!(
            (fixture.rewrite)(&zeros).unwrap(),
            expected,
            "{}",
            fixture.kind
        );
    }
}

#[test]
fn unknown_names_are_kept() {
    for fixture in fixture::all() {
        let mut original = fixture.full.clone();
        let mut count = 0;
        objects(
            schema_of(fixture.kind),
            &mut original,
            &mut |schema, object| {
                for (name, property) in members(schema, "properties") {
                    if property.get("enum").is_some() && object.contains_key(&name) {
                        object.insert(name, json!("FromTheFuture"));
                        count += 1;
                    }
                }
            },
        );
        assert!(count >= 1, "{}", fixture.kind);
        assert_eq!(
            (fixture.rewrite)(&original).unwrap(),
            original,
            "{}",
            fixture.kind
        );
    }
}
