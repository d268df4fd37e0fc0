//! Names of variables, and which known name an unknown one was probably meant to be.

/// Longest variable name.
pub const MAX_NAME: usize = 100;

/// Whether a text is a variable name: `[A-Za-z_][A-Za-z0-9_]*`.
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Words that jinja reads as part of its grammar, so that no variable of that name can be reached there.
pub fn is_jinja_word(name: &str) -> bool {
    matches!(
        name,
        "true"
            | "True"
            | "false"
            | "False"
            | "none"
            | "None"
            | "and"
            | "or"
            | "not"
            | "in"
            | "is"
            | "if"
            | "else"
            | "loop"
            | "self"
            | "range"
    )
}

/// The known name nearest to `name`: fewest single-character edits, the earlier one on a tie; none when that is
/// more than a third of the longer name (two edits are always allowed) or nothing is left in common.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > 4 * MAX_NAME {
        return None;
    }
    let wanted: Vec<char> = name.chars().collect();
    let mut best: Option<(usize, &str)> = None;
    for candidate in known {
        let letters: Vec<char> = candidate.chars().collect();
        let longer = wanted.len().max(letters.len());
        let distance = edit_distance(&wanted, &letters);
        let near_enough = distance <= (longer / 3).max(2) && distance < longer;
        if near_enough && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn edit_distance(left: &[char], right: &[char]) -> usize {
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let substituted = previous[j] + usize::from(a != b);
            current.push(substituted.min(previous[j + 1] + 1).min(current[j] + 1));
        }
        previous = current;
    }
    previous[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_name_that_was_meant() {
        assert_eq!(nearest("tonne", ["topic", "tone"]), Some("tone"));
        assert_eq!(nearest("Name", ["name"]), Some("name"));
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("customer", ["tone"]), None);
    }
}
