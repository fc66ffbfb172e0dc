//! A server that gives a token to whoever asks, as those of clouds do: token
//! endpoints of OAuth, security token services, metadata servers of machines.
//!
//! It tells what it was asked; a test decides whether that was right.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A question for a token.
#[derive(Debug, Clone)]
pub struct Question {
    /// The first line and the headers.
    pub head: String,
    /// The body.
    pub body: String,
}

/// A running server; its thread ends with the process.
#[derive(Debug)]
pub struct TokenServer {
    address: SocketAddr,
    questions: Arc<Mutex<Vec<Question>>>,
}

impl TokenServer {
    /// Starts one that gives `token`, good for an hour.
    pub fn start(token: &str) -> io::Result<Self> {
        Self::with(token, &[])
    }

    /// The same, and `more` beside the token in every answer: what its owner may ask
    /// for somewhere else.
    pub fn with(token: &str, more: &[(&str, serde_json::Value)]) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let questions = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&questions);
        let mut answer = serde_json::json!({
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        });
        for (name, value) in more {
            answer[*name] = value.clone();
        }
        let answer = answer.to_string();
        std::thread::Builder::new()
            .name("token-server".to_owned())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    // Whoever breaks off sees it, there is no one else to tell.
                    if let Ok(question) = serve(stream, &answer) {
                        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
                        asked.push(question);
                    }
                }
            })?;
        Ok(Self { address, questions })
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// What it was asked so far.
    pub fn questions(&self) -> Vec<Question> {
        let questions = self.questions.lock();
        questions.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(stream: TcpStream, answer: &str) -> io::Result<Question> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    let mut length = 0;
    loop {
        let start = head.len();
        reader.read_line(&mut head)?;
        let line = head[start..].trim();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = String::new();
    (&mut reader).take(length).read_to_string(&mut body)?;
    write!(
        reader.get_mut(),
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{answer}",
        answer.len()
    )?;
    Ok(Question { head, body })
}
