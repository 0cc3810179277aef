//! What a reader needs of a case that failed.

use crate::cases::Case;
use crate::compare::Difference;
use crate::wire::Answer;

const WIDTH: usize = 58;
const LINES: usize = 24;

/// The case, its request, both answers side by side, and what differs.
pub(crate) fn failure(
    topic: &str,
    case: &Case,
    request: &[u8],
    answers: [&Answer; 2],
    differ: &[Difference],
) -> String {
    let mut out = format!("\n--- {topic}: {} (cases.txt:{})\n", case.name, case.line);
    for line in String::from_utf8_lossy(request).lines().take(LINES) {
        out += &format!("    {}\n", cut(line, 2 * WIDTH));
    }
    let [flask, dewar] = answers.map(lines);
    out += &format!("    {:-<WIDTH$} | {:-<WIDTH$}\n", "Flask ", "Dewar ");
    for i in 0..flask.len().max(dewar.len()).min(LINES) {
        let of = |lines: &[String]| lines.get(i).map_or(String::new(), |line| cut(line, WIDTH));
        out += &format!("    {:<WIDTH$} | {}\n", of(&flask), of(&dewar));
    }
    for difference in differ {
        let Difference { part, flask, dewar } = difference;
        out += &format!("  {part}:\n    Flask: {}\n    Dewar: {}\n", cut(flask, 600), cut(dewar, 600));
    }
    out
}

/// An answer alone.
pub(crate) fn shown(answer: &Answer) -> String {
    lines(answer).iter().map(|line| format!("    {}\n", cut(line, 200))).collect()
}

fn lines(answer: &Answer) -> Vec<String> {
    let mut lines = vec![format!("{} {}{}", answer.status, answer.phrase, if answer.cut { " (cut)" } else { "" })];
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "server" | "connection"))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort();
    lines.append(&mut headers);
    lines.push(String::new());
    lines.extend(String::from_utf8_lossy(&answer.body).lines().map(str::to_owned));
    lines
}

fn cut(text: &str, width: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    if text.chars().count() <= width {
        return text;
    }
    text.chars().take(width - 1).chain(['…']).collect()
}
