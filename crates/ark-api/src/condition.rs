//! Conditions: what is true of an object, for tools that know no phases, such as
//! `kubectl wait --for=condition=Succeeded`. Velero has none.
//!
//! Each kind has one that sums it up, and it is derived from the phase. It has no
//! `observedGeneration`: without a status sub-resource each change of the status
//! counts as a new generation.

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

/// Sums up what ends: jobs and requests. `Unknown` until then.
pub const SUCCEEDED: &str = "Succeeded";
/// Sums up what stays: locations and schedules.
pub const READY: &str = "Ready";

/// Adds `new` or puts it in the place of the one of its type. The time of the last
/// transition stays as long as the condition's status does.
pub fn set(conditions: &mut Vec<Condition>, mut new: Condition) {
    let same = conditions
        .iter_mut()
        .find(|condition| condition.type_ == new.type_);
    let Some(old) = same else {
        conditions.push(new);
        return;
    };
    if old.status == new.status {
        new.last_transition_time = old.last_transition_time.clone();
    }
    *old = new;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Time;

    fn condition(type_: &str, status: &str, reason: &str, second: i64) -> Condition {
        Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            last_transition_time: Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap()),
            message: String::new(),
            observed_generation: None,
        }
    }

    #[test]
    fn the_time_is_that_of_the_last_change_of_the_status() {
        let mut all = vec![condition("Other", "True", "Theirs", 1)];
        set(&mut all, condition(SUCCEEDED, "Unknown", "Queued", 2));
        set(&mut all, condition(SUCCEEDED, "Unknown", "InProgress", 3));
        assert_eq!(
            all,
            [
                condition("Other", "True", "Theirs", 1),
                condition(SUCCEEDED, "Unknown", "InProgress", 2)
            ]
        );
        set(&mut all, condition(SUCCEEDED, "True", "Completed", 4));
        assert_eq!(all[1], condition(SUCCEEDED, "True", "Completed", 4));
    }
}
