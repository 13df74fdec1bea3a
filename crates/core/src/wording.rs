//! How a value, names and what others have said stand in a message.

/// A value as a message repeats it: in quotes, cut where it is long.
#[must_use]
pub fn repeated(value: &str) -> String {
    let short: String = value.chars().filter(|c| !c.is_control()).take(40).collect();
    format!("\"{short}\"")
}

/// At most five names; an Event and a condition are not the place for fifty.
#[must_use]
pub fn shortened(names: &[String]) -> String {
    match names.split_at_checked(5) {
        Some((first, rest)) if !rest.is_empty() => format!("{} and {} more", first.join(", "), rest.len()),
        _ => names.join(", "),
    }
}

/// The text as a sentence.
pub(crate) fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_string() } else { format!("{text}.") }
}
