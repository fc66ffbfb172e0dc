//! API services that the API server registers for itself come back by themselves.

use serde_json::Value;

use super::{Context, Effects};
use crate::restore::Rule;

pub(super) const KINDS: &[&str] = &["apiservices.apiregistration.k8s.io"];

const AUTOMANAGED: &str = "/metadata/labels/kube-aggregator.kubernetes.io~1automanaged";

pub(super) fn run(service: &mut Value, _: &Context<'_>, effects: &mut Effects) {
    if service.pointer(AUTOMANAGED).is_some() {
        effects.skip = Some(Rule::AutomanagedApiService);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::restore::tests::act;

    #[test]
    fn only_automanaged_ones_are_left_out() {
        let mut own = json!({"metadata": {"labels": {"kube-aggregator.kubernetes.io/automanaged": "onstart"}}});
        assert_eq!(
            act(KINDS[0], &mut own).skip,
            Some(Rule::AutomanagedApiService)
        );
        let mut other = json!({"metadata": {"labels": {"a": "b"}}});
        assert_eq!(act(KINDS[0], &mut other).skip, None);
    }
}
