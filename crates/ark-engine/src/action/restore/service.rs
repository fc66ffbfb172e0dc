//! Services: addresses and ports that the old cluster chose are given back, so
//! that the new one can choose; those that a person chose are kept.
//!
//! Who chose a node port shows in the applied configuration, or else in the
//! ownership of fields: the API server allocates ports after it has recorded
//! who wrote what.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Context, Effects, remove_at};

pub(super) const KINDS: &[&str] = &["services"];

const LAST_APPLIED: &str =
    "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration";

pub(super) fn run(service: &mut Value, context: &Context<'_>, _: &mut Effects) {
    if service["spec"]["clusterIP"] != "None" {
        remove_at(service, "/spec", &["clusterIP", "clusterIPs"]);
    }
    if context.preserve_node_ports || service["spec"]["type"] == "ExternalName" {
        return;
    }
    let chosen = Chosen::of(service);
    if !chosen.health_check {
        remove_at(service, "/spec", &["healthCheckNodePort"]);
    }
    let ports = service
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        if !chosen.has(port)
            && let Some(port) = port.as_object_mut()
        {
            port.remove("nodePort");
        }
    }
}

/// The ports that a person or a tool asked for.
#[derive(Debug, Default)]
struct Chosen {
    health_check: bool,
    /// By the port's name.
    names: BTreeSet<String>,
    /// By the node port, for ports without a name.
    numbers: BTreeSet<i64>,
    /// By port and protocol, as ownership names ports.
    keys: BTreeSet<(i64, String)>,
}

impl Chosen {
    fn of(service: &Value) -> Self {
        let applied = service.pointer(LAST_APPLIED).and_then(Value::as_str);
        // An annotation that cannot be read says nothing about ports.
        match applied.and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            Some(applied) => Self::applied(&applied),
            None => Self::owned(service),
        }
    }

    fn applied(applied: &Value) -> Self {
        let spec = &applied["spec"];
        let mut chosen = Self {
            health_check: is_set(&spec["healthCheckNodePort"]),
            ..Self::default()
        };
        for port in spec["ports"].as_array().into_iter().flatten() {
            let Some(number) = number(&port["nodePort"]).filter(|number| *number > 0) else {
                continue;
            };
            match port["name"].as_str().filter(|name| !name.is_empty()) {
                Some(name) => chosen.names.insert(name.to_owned()),
                None => chosen.numbers.insert(number),
            };
        }
        chosen
    }

    fn owned(service: &Value) -> Self {
        let mut chosen = Self::default();
        let entries = service
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array);
        for entry in entries.into_iter().flatten() {
            let spec = &entry["fieldsV1"]["f:spec"];
            chosen.health_check |= spec.get("f:healthCheckNodePort").is_some();
            for (name, fields) in spec["f:ports"].as_object().into_iter().flatten() {
                if fields.get("f:nodePort").is_some()
                    && let Some(key) = name.strip_prefix("k:").and_then(parse_key)
                {
                    chosen.keys.insert(key);
                }
            }
        }
        chosen
    }

    fn has(&self, port: &Value) -> bool {
        let by_name = match port["name"].as_str().filter(|name| !name.is_empty()) {
            Some(name) => self.names.contains(name),
            None => number(&port["nodePort"]).is_some_and(|number| self.numbers.contains(&number)),
        };
        by_name || key_of(port).is_some_and(|key| self.keys.contains(&key))
    }
}

/// `{"port":80,"protocol":"TCP"}`.
fn parse_key(text: &str) -> Option<(i64, String)> {
    key_of(&serde_json::from_str(text).ok()?)
}

fn key_of(port: &Value) -> Option<(i64, String)> {
    Some((
        port["port"].as_i64()?,
        port["protocol"].as_str().unwrap_or("TCP").to_owned(),
    ))
}

/// A number; tools have been seen to write it as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn is_set(value: &Value) -> bool {
    number(value).is_some_and(|number| number > 0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::restore::tests::act;
    use crate::restore::Mapping;

    fn service() -> Value {
        json!({
            "metadata": {"name": "s", "annotations": {}},
            "spec": {
                "type": "LoadBalancer", "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"],
                "healthCheckNodePort": 31000,
                "ports": [
                    {"name": "web", "port": 80, "protocol": "TCP", "nodePort": 30080},
                    {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
                ],
            }
        })
    }

    fn node_ports(service: &Value) -> Vec<Option<i64>> {
        let ports = service["spec"]["ports"].as_array().unwrap();
        ports.iter().map(|port| port["nodePort"].as_i64()).collect()
    }

    #[test]
    fn addresses_and_allocated_ports_go() {
        let mut object = service();
        act("services", &mut object);
        let spec = &object["spec"];
        assert!(spec.get("clusterIP").is_none() && spec.get("clusterIPs").is_none());
        assert!(spec.get("healthCheckNodePort").is_none());
        assert_eq!(node_ports(&object), [None, None]);
    }

    #[test]
    fn headless_services_stay_headless() {
        let mut object = json!({"spec": {"clusterIP": "None", "clusterIPs": ["None"]}});
        act("services", &mut object);
        assert_eq!(object["spec"]["clusterIPs"], json!(["None"]));
    }

    #[test]
    fn ports_in_the_applied_configuration_stay() {
        let mut object = service();
        let applied = json!({"spec": {"healthCheckNodePort": 31000, "ports": [{"name": "web", "nodePort": 30080}]}});
        object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
            applied.to_string().into();
        act("services", &mut object);
        assert_eq!(node_ports(&object), [Some(30080), None]);
        assert_eq!(object["spec"]["healthCheckNodePort"], 31000);
    }

    #[test]
    fn ports_that_somebody_owns_stay() {
        let mut object = service();
        object["metadata"]["managedFields"] = json!([{"fieldsV1": {"f:spec": {"f:ports": {
            "k:{\"port\":53,\"protocol\":\"UDP\"}": {".": {}, "f:nodePort": {}},
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}},
        }}}}]);
        act("services", &mut object);
        assert_eq!(node_ports(&object), [None, Some(30053)]);
    }

    #[test]
    fn all_ports_stay_on_request() {
        let mut object = service();
        let mapping = Mapping::default();
        let context = Context {
            mapping: &mapping,
            preserve_node_ports: true,
            new_disk: false,
        };
        run(&mut object, &context, &mut Effects::default());
        assert_eq!(node_ports(&object), [Some(30080), Some(30053)]);
        assert_eq!(object["spec"]["healthCheckNodePort"], 31000);
    }
}
