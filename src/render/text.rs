//! Running text in a fixed width.

/// Items side by side, three columns apart, in lines of at most `width` characters and no empty one; each item stays whole.
#[must_use]
pub fn side_by_side(items: &[String], width: Option<usize>) -> Vec<String> {
    const APART: &str = "   ";
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        let room = width.map(|width| width.saturating_sub(item.chars().count() + APART.len()));
        match lines.last_mut().filter(|line| room.is_none_or(|room| line.chars().count() <= room)) {
            Some(line) => line.extend([APART, item]),
            None => lines.push(item.clone()),
        }
    }
    lines
}

/// `text` in lines of at most `width` characters, broken between words; a word that is longer than a line
/// keeps a line to itself. Never broken when there is no width.
#[must_use]
pub fn wrap(text: &str, width: Option<usize>) -> Vec<String> {
    let Some(width) = width else {
        return vec![text.split_whitespace().collect::<Vec<_>>().join(" ")];
    };
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_between_words_only() {
        assert_eq!(wrap("one two three", Some(7)), ["one two", "three"]);
        assert_eq!(wrap("incomprehensible yes", Some(7)), ["incomprehensible", "yes"]);
        assert_eq!(wrap("one\n  two", None), ["one two"]);
        assert_eq!(wrap("", Some(7)), [""]);
    }
}
