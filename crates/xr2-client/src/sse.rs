//! Server-sent events, read from bytes in whatever pieces the network cuts them into.

/// Longest line. A prompt of 1 MiB of text, escaped as JSON, fits.
const MAX_LINE: usize = 8 << 20;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    /// An event with its data.
    Event { name: String, data: String, id: Option<String> },
    /// A comment: the server is there.
    Comment,
    /// How many milliseconds to wait before coming back.
    Retry(u64),
}

/// Turns bytes into frames. Lines end with LF, CR or CRLF, also when cut in the middle.
#[derive(Default)]
pub(crate) struct Decoder {
    line: Vec<u8>,
    after_cr: bool,
    after_first_line: bool,
    name: String,
    data: Vec<String>,
    size: usize,
    id: Option<String>,
}

/// Not an event stream, or not one of ours.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Decoder {
    /// Takes the next bytes; gives what is complete with them.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Vec<Frame>, TooLong> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_cr) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let piece = &bytes[..end.unwrap_or(bytes.len())];
            if self.line.len() + self.size + piece.len() > MAX_LINE {
                return Err(TooLong);
            }
            self.line.extend_from_slice(piece);
            let Some(end) = end else { break };
            self.after_cr = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            let line = std::mem::take(&mut self.line);
            frames.extend(self.end_of_line(&line));
        }
        Ok(frames)
    }

    fn end_of_line(&mut self, line: &[u8]) -> Option<Frame> {
        let is_first = !std::mem::replace(&mut self.after_first_line, true);
        let line = if is_first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(Frame::Comment),
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.size += value.len() + 1;
                self.data.push(value.to_owned());
            }
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            "retry" => return value.parse().ok().map(Frame::Retry),
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Frame> {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        self.size = 0;
        if data.is_empty() {
            return None;
        }
        let name = if name.is_empty() { "message".to_owned() } else { name };
        Some(Frame::Event { name, data: data.join("\n"), id: self.id.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Frame {
        Frame::Event { name: name.to_owned(), data: data.to_owned(), id: id.map(str::to_owned) }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_frames() {
        let text = "\u{feff}: ping\r\nevent: put\rid: 7\ndata: {\"a\":\ndata: \"é\"}\r\n\r\nretry: 250\nid: 8\ndata\n\nevent: x\n\n";
        let expected = vec![
            Frame::Comment,
            event("put", "{\"a\":\n\"é\"}", Some("7")),
            Frame::Retry(250),
            event("message", "", Some("8")),
        ];
        for size in [1, 2, 3, 7, 4096] {
            let mut decoder = Decoder::default();
            let frames: Vec<_> =
                text.as_bytes().chunks(size).flat_map(|piece| decoder.feed(piece).unwrap()).collect();
            assert_eq!(frames, expected, "pieces of {size} bytes");
        }
    }

    #[test]
    fn an_endless_line_or_event_is_refused() {
        let mut decoder = Decoder::default();
        assert_eq!(decoder.feed(&vec![b'x'; MAX_LINE + 1]), Err(TooLong));
        let mut decoder = Decoder::default();
        let line = [b"data: ".as_slice(), &vec![b'x'; MAX_LINE / 2], b"\n"].concat();
        assert!(decoder.feed(&line).is_ok());
        assert_eq!(decoder.feed(&line).err().or(decoder.feed(&line).err()), Some(TooLong));
    }
}
