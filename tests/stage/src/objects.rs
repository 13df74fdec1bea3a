//! The objects of Playout as the demo shows them: one line each, and whether they have arrived where they are to be.

use serde_json::Value;

/// One object of the category `playout`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub name: String,
    pub ready: String,
    pub state: String,
    pub message: String,
}

impl Row {
    /// Ready alone says that the operator has done its part, be it without a programme.
    pub fn has_arrived(&self) -> bool {
        self.ready == "True" && self.state != "Silent"
    }
}

/// Kinds that only hold settings: nothing has to happen for them.
const SETTINGS: [&str; 1] = ["EncodingPreset"];

/// The rows of what `kubectl get playout -o json` has printed.
pub(crate) fn rows(list: &Value) -> Vec<Row> {
    let items = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    let settings = |item: &&Value| !SETTINGS.contains(&item["kind"].as_str().unwrap_or_default());
    items.iter().filter(settings).map(row).collect()
}

/// Ready means what it means to `kubectl wait`: a condition of an older generation does not count.
fn row(object: &Value) -> Row {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = &object["status"];
    let none = Value::Null;
    let conditions = status["conditions"].as_array();
    let ready = conditions.and_then(|all| all.iter().find(|condition| condition["type"] == "Ready")).unwrap_or(&none);
    let generation = object["metadata"]["generation"].as_i64().unwrap_or(0);
    let observed = ready["observedGeneration"].as_i64().or(status["observedGeneration"].as_i64());
    let outdated = observed.is_some_and(|observed| observed < generation);
    let kind = word(&object["kind"]).to_lowercase();
    Row {
        name: format!("{kind}/{}", word(&object["metadata"]["name"])),
        ready: if outdated || ready.is_null() { "Unknown".into() } else { word(&ready["status"]) },
        state: status["state"].as_str().or(ready["reason"].as_str()).unwrap_or("-").to_owned(),
        message: word(&ready["message"]),
    }
}

/// The rows under headings, cut to the width of the screen.
pub(crate) fn table(rows: &[Row], width: usize) -> Vec<String> {
    let heading = ["NAME", "READY", "STATE", "MESSAGE"].map(str::to_owned);
    let cells: Vec<[String; 4]> = std::iter::once(heading)
        .chain(rows.iter().map(|row| [row.name.clone(), row.ready.clone(), row.state.clone(), row.message.clone()]))
        .collect();
    columns(&cells).into_iter().map(|line| line.chars().take(width).collect()).collect()
}

/// Aligns the columns, as kubectl does.
pub(crate) fn columns<const N: usize>(cells: &[[String; N]]) -> Vec<String> {
    let wide = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(wide);
    let line = |row: &[String; N]| {
        let padded = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}   "));
        padded.collect::<String>().trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ready_at(condition_generation: i64, generation: i64) -> String {
        let condition = json!({"type": "Ready", "status": "True", "observedGeneration": condition_generation});
        let object = json!({"kind": "Source", "metadata": {"name": "studio", "generation": generation}, "status": {"conditions": [condition]}});
        rows(&json!({"items": [object]})).remove(0).ready
    }

    #[test]
    fn a_condition_of_an_older_generation_says_nothing() {
        assert_eq!(ready_at(2, 2), "True");
        assert_eq!(ready_at(1, 2), "Unknown");
    }

    #[test]
    fn an_object_nobody_has_looked_at_is_unknown_and_a_preset_is_no_row() {
        let items = json!([
            {"kind": "Source", "metadata": {"name": "studio", "generation": 1}, "status": {"observedGeneration": -1}},
            {"kind": "EncodingPreset", "metadata": {"name": "wide"}},
        ]);
        let rows = rows(&json!({"items": items}));
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].name.as_str(), rows[0].ready.as_str()), ("source/studio", "Unknown"));
    }

    #[test]
    fn what_is_sent_without_a_programme_is_ready_and_has_not_arrived() {
        let condition = json!({"type": "Ready", "status": "True"});
        let arrived = |state: &str| {
            let object = json!({"kind": "Destination", "status": {"state": state, "conditions": [condition]}});
            rows(&json!({"items": [object]})).remove(0).has_arrived()
        };
        assert_eq!(["Running", "Idle", "Silent"].map(arrived), [true, true, false]);
    }

    #[test]
    fn the_table_is_aligned_and_fits_the_screen() {
        let row = |name: &str, message: &str| Row {
            name: name.into(),
            ready: "True".into(),
            state: "Active".into(),
            message: message.into(),
        };
        let lines = table(&[row("source/a", "fine"), row("destination/long", "a long message")], 44);
        assert_eq!(lines[0], "NAME               READY   STATE    MESSAGE");
        assert_eq!(lines[1], "source/a           True    Active   fine");
        assert_eq!(lines[2], "destination/long   True    Active   a long m");
    }
}
