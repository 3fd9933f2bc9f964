//! Forms with files in them: <https://www.rfc-editor.org/rfc/rfc7578>.

pub(super) struct Part<'a> {
    pub(super) name: String,
    pub(super) content: &'a [u8],
}

/// The parts of a body; none, if its boundary isn't told. `parameters`: `boundary=...`.
pub(super) fn parts<'a>(parameters: &str, body: &'a [u8]) -> Vec<Part<'a>> {
    let Some(boundary) = parameter(parameters, "boundary") else {
        return Vec::new();
    };
    let line = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut rest = body;
    while let Some(begin) = find(rest, line.as_bytes()) {
        let after = &rest[begin + line.len()..];
        let Some(end) = find(after, line.as_bytes()) else {
            break;
        };
        parts.extend(part(&after[..end]));
        rest = &after[end..];
    }
    parts
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let bytes = bytes.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let disposition = head
        .lines()
        .find(|line| line.to_lowercase().starts_with("content-disposition:"))?;
    Some(Part {
        name: parameter(disposition, "name")?,
        content: &bytes[end + 4..],
    })
}

fn parameter(text: &str, name: &str) -> Option<String> {
    let mut all = text.split(';').map(str::trim);
    let value = all.find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_form_is_read_part_by_part_whatever_bytes_are_in_it() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n\xff\r\n\x00\r\n\
            --x\r\ncontent-disposition: form-data; name=title\r\n\r\nhello\r\n--x--\r\n";
        let read = parts("boundary=x", body);
        let names: Vec<_> = read.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["file", "title"]);
        assert_eq!(read[0].content, b"\xff\r\n\x00");
        assert_eq!(read[1].content, b"hello");
        assert!(parts("", body).is_empty());
    }
}
