//! Jobs: the selector by UID belongs to the old job; the API makes a new one.

use serde_json::Value;

use super::{Context, Effects, remove_at};

pub(super) const KINDS: &[&str] = &["jobs.batch"];

const UID_LABELS: &[&str] = &["controller-uid", "batch.kubernetes.io/controller-uid"];

pub(super) fn run(job: &mut Value, _: &Context<'_>, _: &mut Effects) {
    remove_at(job, "/spec/selector/matchLabels", UID_LABELS);
    remove_at(job, "/spec/template/metadata/labels", UID_LABELS);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::action::restore::tests::act;

    #[test]
    fn the_old_uid_goes_from_selector_and_template() {
        let labels =
            json!({"controller-uid": "u", "batch.kubernetes.io/controller-uid": "u", "app": "a"});
        let mut job = json!({"spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}},
        }});
        act("jobs.batch", &mut job);
        assert_eq!(job["spec"]["selector"]["matchLabels"], json!({"app": "a"}));
        assert_eq!(
            job["spec"]["template"]["metadata"]["labels"],
            json!({"app": "a"})
        );
    }
}
