//! Fetching what a signed URL names: the file that a server made readable for a
//! while. No credentials are sent; redirects are followed as browsers do.

use bytes::{Bytes, BytesMut};

use crate::location::Location;
use crate::open::OpenError;
use crate::tls;

/// Whom to trust, and how much to take.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Certificates (PEM) to trust besides the system's.
    pub ca_cert: Option<Vec<u8>>,
    /// Take any certificate.
    pub insecure: bool,
    /// The most bytes to read.
    pub max: u64,
}

/// Why nothing was fetched. The query of the URL, which is the key to the file,
/// is never shown.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No HTTP client can be made of the options.
    #[error(transparent)]
    Client(#[from] OpenError),
    /// Not a URL of HTTP.
    #[error("`{0}` is not an http or https URL")]
    Url(String),
    /// The host cannot be reached, or broke off.
    #[error("cannot fetch from {host}")]
    Transport {
        /// The host.
        host: String,
        /// What failed.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no such file.
    #[error("{host} has no such file")]
    NotFound {
        /// The host.
        host: String,
    },
    /// Any other answer than success.
    #[error("{host} answered {status}")]
    Status {
        /// The host.
        host: String,
        /// HTTP status.
        status: u16,
    },
    /// More bytes than allowed.
    #[error("{host} sends more than {max} bytes")]
    TooLarge {
        /// The host.
        host: String,
        /// The bound.
        max: u64,
    },
}

/// Reads the whole file behind a signed URL.
pub async fn fetch(url: &str, options: &FetchOptions) -> Result<Bytes, FetchError> {
    let mut file = begin(url, options).await?;
    let mut body = BytesMut::new();
    while let Some(chunk) = file.chunk().await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Begins to read the file behind a signed URL.
pub async fn begin(url: &str, options: &FetchOptions) -> Result<Fetching, FetchError> {
    let (url, host) = parse(url)?;
    let mut location = Location::new("aws", "signed-url");
    location.ca_cert.clone_from(&options.ca_cert);
    let client = tls::client(&location, !options.insecure)?;
    let answer = match client.get(url).send().await {
        Ok(answer) => answer,
        Err(error) => return Err(transport(&host, error)),
    };
    match answer.status().as_u16() {
        200..=299 => Ok(Fetching {
            answer,
            host,
            max: options.max,
            read: 0,
        }),
        404 => Err(FetchError::NotFound { host }),
        status => Err(FetchError::Status { host, status }),
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Fetching {
    answer: reqwest::Response,
    host: String,
    max: u64,
    read: u64,
}

impl Fetching {
    /// The next piece; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, FetchError> {
        let chunk = self.answer.chunk().await;
        let chunk = chunk.map_err(|error| transport(&self.host, error))?;
        self.read += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        if self.read > self.max {
            return Err(FetchError::TooLarge {
                host: self.host.clone(),
                max: self.max,
            });
        }
        Ok(chunk)
    }
}

fn transport(host: &str, error: reqwest::Error) -> FetchError {
    FetchError::Transport {
        host: host.to_owned(),
        source: Box::new(error.without_url()),
    }
}

fn parse(text: &str) -> Result<(url::Url, String), FetchError> {
    // A signature must not end up in a message.
    let shown = || FetchError::Url(text.split('?').next().unwrap_or_default().to_owned());
    let url = url::Url::parse(text).map_err(|_| shown())?;
    let host = url.host_str().map(ToOwned::to_owned);
    match (url.scheme(), host) {
        ("http" | "https", Some(host)) => Ok((url, host)),
        _ => Err(shown()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    fn options(max: u64) -> FetchOptions {
        FetchOptions {
            ca_cert: None,
            insecure: false,
            max,
        }
    }

    /// Answers one request with `answer`; the URL to ask.
    async fn serve(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/f?signature=secret",
            listener.local_addr().unwrap()
        );
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        url
    }

    #[tokio::test]
    async fn the_body_comes_back_within_the_bound() {
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";
        let url = serve(answer).await;
        assert_eq!(fetch(&url, &options(5)).await.unwrap(), "hello");
        let url = serve(answer).await;
        let error = fetch(&url, &options(4)).await.unwrap_err();
        assert!(
            matches!(error, FetchError::TooLarge { max: 4, .. }),
            "{error:?}"
        );
    }

    #[tokio::test]
    async fn failures_tell_the_host_but_not_the_signature() {
        let url = serve("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        let error = fetch(&url, &options(10)).await.unwrap_err();
        assert_eq!(error.to_string(), "127.0.0.1 answered 403");
        let error = fetch("ftp://x/y?signature=secret", &options(10))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "`ftp://x/y` is not an http or https URL");
        let gone = fetch("http://127.0.0.1:1/?signature=secret", &options(10))
            .await
            .unwrap_err();
        let mut text = gone.to_string();
        let mut cause = std::error::Error::source(&gone);
        while let Some(next) = cause {
            text.push_str(&next.to_string());
            cause = next.source();
        }
        assert!(!text.contains("secret"), "{text}");
    }
}
