//! Which hooks a pod has, from annotations and rules.

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::port::Discovery;

fn rules(resources: &Value) -> HookRules {
    let hooks = serde_json::from_value(json!({"resources": resources})).unwrap();
    assert_eq!(check(&hooks), Vec::<String>::new());
    HookRules::new(&hooks, &Discovery::default())
}

fn pod(annotations: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "db-0", "namespace": "shop", "labels": {"app": "db"}, "annotations": annotations},
        "spec": {
            "initContainers": [{"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}],
            "containers": [{"name": "db"}, {"name": "logs"}],
        },
        "status": {"phase": "Running"},
    })
}

fn hooks(rules: &HookRules, pod: &Value) -> PodHooks {
    let object = Object::parse(Bytes::from(pod.to_string())).unwrap();
    of_pod(rules, &object).unwrap()
}

fn exec(command: &[&str]) -> Value {
    json!({"exec": {"command": command}})
}

fn commands(hooks: &[Hook]) -> Vec<(&str, String)> {
    hooks
        .iter()
        .map(|hook| (hook.source.as_str(), hook.command.join(" ")))
        .collect()
}

#[test]
fn rules_choose_by_namespace_kind_and_labels() {
    let rules = rules(&json!([
        {"name": "all", "pre": [exec(&["sync"])], "post": [exec(&["a"]), exec(&["b"])]},
        {"name": "elsewhere", "includedNamespaces": ["bank"], "pre": [exec(&["no"])]},
        {"name": "not-here", "excludedNamespaces": ["shop"], "pre": [exec(&["no"])]},
        {"name": "label", "labelSelector": {"matchLabels": {"app": "db"}}, "pre": [exec(&["freeze", "it"])]},
        {"name": "other-label", "labelSelector": {"matchLabels": {"app": "web"}}, "pre": [exec(&["no"])]},
        {"name": "pods", "includedResources": ["pods"], "pre": [exec(&["p"])]},
        {"name": "claims", "includedResources": ["persistentvolumeclaims"], "pre": [exec(&["no"])]},
        {"name": "no-pods", "excludedResources": ["pods"], "pre": [exec(&["no"])]},
    ]));
    let found = hooks(&rules, &pod(&json!({})));
    let freeze = ("label", "freeze it".to_owned());
    assert_eq!(
        commands(&found.pre),
        [("all", "sync".to_owned()), freeze, ("pods", "p".to_owned())]
    );
    assert_eq!(
        commands(&found.post),
        [("all", "a".to_owned()), ("all", "b".to_owned())]
    );
    assert_eq!(found.pre[0].container, Ok("db".to_owned()));
    assert_eq!(found.pre[0].timeout, Duration::from_secs(30));
    assert!(!found.pre[0].fail);
}

#[test]
fn an_annotation_beats_the_rules_of_its_stage() {
    let rules = rules(&json!([
        {"name": "spec", "pre": [exec(&["spec-pre"])], "post": [exec(&["spec-post"])]},
    ]));
    let annotations = json!({
        "pre.hook.backup.velero.io/command": r#"["/bin/sh", "-c", "freeze"]"#,
        "pre.hook.backup.velero.io/container": "logs",
        "pre.hook.backup.velero.io/on-error": "Fail",
        "pre.hook.backup.velero.io/timeout": "1m30s",
    });
    let found = hooks(&rules, &pod(&annotations));
    assert_eq!(
        found.pre,
        [Hook {
            source: "annotation".into(),
            container: Ok("logs".into()),
            command: vec!["/bin/sh".into(), "-c".into(), "freeze".into()],
            fail: true,
            timeout: Duration::from_secs(90),
        }]
    );
    assert_eq!(commands(&found.post), [("spec", "spec-post".to_owned())]);
}

#[test]
fn old_forms_of_annotations_are_understood() {
    let none = HookRules::default();
    for key in [
        "hook.backup.velero.io",
        "pre.hook.backup.ark.heptio.com",
        "hook.backup.ark.heptio.com",
    ] {
        let found = hooks(
            &none,
            &pod(&json!({format!("{key}/command"): "freeze now"})),
        );
        let whole = [("annotation", "freeze now".to_owned())];
        assert_eq!(commands(&found.pre), whole, "{key}: one program, no words");
        assert!(found.post.is_empty());
    }
    let both = pod(&json!({
        "hook.backup.velero.io/command": "old",
        "pre.hook.backup.velero.io/command": "new",
        "post.hook.backup.ark.heptio.com/command": "thaw",
    }));
    let found = hooks(&none, &both);
    assert_eq!(commands(&found.pre)[0].1, "new");
    assert_eq!(commands(&found.post)[0].1, "thaw");
}

#[test]
fn odd_annotations_fall_back_and_say_so() {
    let annotations = json!({
        "post.hook.backup.velero.io/command": "[not json",
        "post.hook.backup.velero.io/on-error": "Panic",
        "post.hook.backup.velero.io/timeout": "soon",
    });
    let found = hooks(&HookRules::default(), &pod(&annotations));
    assert_eq!(commands(&found.post)[0].1, "[not json");
    assert_eq!(found.post[0].timeout, Duration::from_secs(30));
    assert!(!found.post[0].fail);
    assert_eq!(found.warnings.len(), 2, "{:?}", found.warnings);
}

#[test]
fn sidecars_can_be_targets_and_other_init_containers_cannot() {
    let target = |name: &str| {
        let annotations = json!({
            "pre.hook.backup.velero.io/command": "x",
            "pre.hook.backup.velero.io/container": name,
        });
        hooks(&HookRules::default(), &pod(&annotations)).pre[0]
            .container
            .clone()
    };
    assert_eq!(target("proxy"), Ok("proxy".to_owned()));
    let problem = target("setup").unwrap_err();
    assert!(
        problem.contains("`setup`") && problem.contains("db, logs"),
        "{problem}"
    );
}

#[test]
fn pods_that_have_ended_have_no_hooks() {
    for phase in ["Succeeded", "Failed"] {
        let mut pod = pod(&json!({"hook.backup.velero.io/command": "x"}));
        pod["status"]["phase"] = phase.into();
        assert!(hooks(&HookRules::default(), &pod).is_empty(), "{phase}");
    }
}

#[test]
fn every_mistake_in_a_spec_is_named() {
    let spec = serde_json::from_value(json!({"resources": [
        {"name": "", "pre": [exec(&[])]},
        {"name": "freeze", "includedNamespaces": ["a"], "excludedNamespaces": ["a"],
         "labelSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]},
         "pre": [exec(&["ok"]), {"exec": {"command": [""], "onError": "Stop", "timeout": "-5s"}}]},
    ]}))
    .unwrap();
    insta::assert_yaml_snapshot!(check(&spec));
}
