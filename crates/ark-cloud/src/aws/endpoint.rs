//! Other addresses for AWS's services, as its own clients take them.
//!
//! Source: "Service-specific endpoints" in the AWS SDKs and Tools Reference Guide.

/// The address that an environment, by the names of its variables, gives for a service,
/// such as `STS`: `AWS_ENDPOINT_URL_STS`, else `AWS_ENDPOINT_URL`. Without a slash at its
/// end.
pub fn endpoint(variable: impl Fn(&str) -> Option<String>, service: &str) -> Option<String> {
    let value = |name: &str| variable(name).filter(|value| !value.is_empty());
    if value("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value == "true") {
        return None;
    }
    let url =
        value(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| value("AWS_ENDPOINT_URL"))?;
    Some(url.trim_end_matches('/').to_owned())
}
