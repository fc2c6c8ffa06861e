//! Who answers in the place of `gosling serve`: what it was asked with, tokens and all, in any form.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

/// What it answers next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Which of its bodies.
    pub(crate) form: u8,
    /// What it tells, beside the token that it was shown.
    pub(crate) tells: String,
}

/// The server; it lives as long as the test.
pub(crate) struct Stranger {
    pub(crate) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
}

impl Stranger {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = Arc::new(Mutex::new(Answer::default()));
        let next = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let next = next.lock().unwrap().clone();
                let _ = say(stream, &next);
            }
        });
        Self { address, answer }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

fn say(mut stream: TcpStream, answer: &Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let (mut asked, mut length, mut shown) = (String::new(), 0, String::new());
    lines.read_line(&mut asked)?;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        let (name, value) = line.trim().split_once(": ").unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap_or_default(),
            "authorization" => value.clone_into(&mut shown),
            _ => {}
        }
    }
    let mut sent = String::new();
    lines.take(length).read_to_string(&mut sent)?;
    let told = format!("{asked}{shown} {} {sent}", answer.tells);
    let problem =
        json!({ "type": "x", "title": told, "status": answer.status, "detail": told, "instance": told });
    let body = match answer.form {
        0 => told,
        1 => Value::from(told).to_string(),
        2 => problem.to_string(),
        3 => json!({ "items": [told], "next": told }).to_string(),
        4 => json!([{ "id": told, "name": told, "egg": 5 }]).to_string(),
        5 => json!({ "at": told, "version": told, "eggs": told }).to_string(),
        _ => format!("<html><b>{told}</b></html>"),
    };
    write!(
        stream,
        "HTTP/1.1 {} X\r\ncontent-length: {}\r\ngosling-version: 9.9.9 {shown}\r\nconnection: close\r\n\r\n{body}",
        answer.status,
        body.len()
    )
}
