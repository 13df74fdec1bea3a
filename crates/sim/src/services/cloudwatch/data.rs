//! GetMetricData.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Translation, invalid};
use crate::error::ApiError;
use crate::services::{Call, Region};

const QUERIES: usize = 500;

/// The members of a metric query, read once.
struct Query<'a> {
    id: &'a str,
    label: &'a str,
    returned: bool,
    stat: &'a str,
    period: u64,
    namespace: &'a str,
    metric: &'a str,
    dimensions: Vec<(&'a str, &'a str)>,
}

pub(super) fn get(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let queries = call.list("MetricDataQueries");
    if queries.is_empty() {
        return Err(invalid("The parameter MetricDataQueries must not be empty."));
    }
    if queries.len() > QUERIES {
        return Err(invalid(format!("The parameter MetricDataQueries can have at most {QUERIES} members.")));
    }
    let queries: Vec<Query<'_>> = queries.iter().map(read).collect::<Result<_, _>>()?;
    for (index, query) in queries.iter().enumerate() {
        if queries.iter().take(index).any(|other| other.id == query.id) {
            return Err(invalid(format!(
                "The values for parameter id in MetricDataQueries are not unique: {}",
                query.id
            )));
        }
    }
    let (start, end) = (seconds(call, "StartTime")?, seconds(call, "EndTime")?);
    if start >= end {
        return Err(invalid("The parameter StartTime must be less than the parameter EndTime."));
    }
    if !call.text("NextToken").is_empty() {
        // Every answer is complete, so no token was ever given out.
        return Err(ApiError::new(400, "InvalidNextToken", "The token is not valid."));
    }
    let translation = Translation::new(call);
    let ascending = call.text("ScanBy") == "TimestampAscending";
    let results: Vec<Value> = queries
        .iter()
        .filter(|query| query.returned)
        .map(|query| {
            let mut points = statistics(region, call, &translation, query, start, end);
            if !ascending {
                points.reverse();
            }
            let (times, values): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
            json!({
                "Id": query.id,
                "Label": if query.label.is_empty() { query.metric } else { query.label },
                "Timestamps": times,
                "Values": values,
                "StatusCode": "Complete",
            })
        })
        .collect();
    Ok(json!({ "MetricDataResults": results, "Messages": [] }))
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn read(query: &Value) -> Result<Query<'_>, ApiError> {
    let id = text(query, "Id");
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(invalid(format!(
            "The value {id} for parameter MetricDataQueries Id is not matching the expected pattern."
        )));
    }
    if query.get("Expression").is_some_and(|expression| !expression.is_null()) {
        return Err(ApiError::not_simulated("metric math and Metrics Insights"));
    }
    let Some(stat) = query.get("MetricStat").filter(|stat| !stat.is_null()) else {
        return Err(invalid(format!("Query {id} has neither MetricStat nor Expression.")));
    };
    let period = stat["Period"].as_u64().unwrap_or_default();
    if ![1, 5, 10, 20, 30].contains(&period) && (period == 0 || !period.is_multiple_of(60)) {
        return Err(invalid(format!("The period of query {id} must be 1, 5, 10, 20, 30 or a multiple of 60.")));
    }
    if !["Average", "Minimum", "Maximum", "Sum", "SampleCount"].contains(&text(stat, "Stat")) {
        return Err(ApiError::not_simulated(&format!("the statistic {}", text(stat, "Stat"))));
    }
    let metric = &stat["Metric"];
    let dimensions = metric["Dimensions"].as_array().into_iter().flatten();
    Ok(Query {
        id,
        label: text(query, "Label"),
        returned: query.get("ReturnData").and_then(Value::as_bool).unwrap_or(true),
        stat: text(stat, "Stat"),
        period,
        namespace: text(metric, "Namespace"),
        metric: text(metric, "MetricName"),
        dimensions: dimensions.map(|d| (text(d, "Name"), text(d, "Value"))).collect(),
    })
}

/// A number of seconds, or RFC 3339 as the query protocol has it.
fn seconds(call: &Call<'_>, member: &str) -> Result<f64, ApiError> {
    let value = call.input.get(member);
    let parsed = match value {
        Some(Value::String(text)) => text.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond() as f64 / 1000.0),
        Some(value) => value.as_f64(),
        None => None,
    };
    parsed.ok_or_else(|| invalid(format!("The parameter {member} is not a timestamp.")))
}

/// One value for each period that has samples, oldest first. What no service publishes has none, as in CloudWatch.
fn statistics(
    region: &Region,
    call: &Call<'_>,
    translation: &Translation,
    query: &Query<'_>,
    start: f64,
    end: f64,
) -> Vec<(f64, f64)> {
    let period = query.period.max(1);
    // Periods begin at round times of the callers' clock.
    let aligned = |at: f64| {
        let seconds = at.max(0.0) as u64;
        seconds / period * period
    };
    let from = translation.to_simulated(aligned(start) as f64);
    let to = translation.to_simulated(end);
    let samples = super::samples(region, call, (query.namespace, query.metric), &query.dimensions, (from, to));
    let mut periods: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (at, value) in samples {
        periods.entry(aligned(translation.to_callers(at))).or_default().push(value);
    }
    periods.into_iter().map(|(at, values)| (at as f64, statistic(query.stat, &values))).collect()
}

fn statistic(stat: &str, values: &[f64]) -> f64 {
    let sum: f64 = values.iter().sum();
    match stat {
        "Sum" => sum,
        "SampleCount" => values.len() as f64,
        "Minimum" => values.iter().copied().fold(f64::INFINITY, f64::min),
        "Maximum" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => sum / values.len() as f64,
    }
}
