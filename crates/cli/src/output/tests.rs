use super::*;

fn rows() -> Vec<Row> {
    vec![
        Row {
            client: "192.0.2.10".into(),
            user: Some("alice".into()),
            opens: Some(2),
            connected_seconds: Some(3661),
            idle_seconds: Some(5),
            user_flags: Some(0),
            flags: Some(vec![]),
            client_type: Some(String::new()),
            transport: Some(r"\Device\NetbiosSmb".into()),
        },
        Row {
            client: "[::1]".into(),
            user: Some("bo,b\u{1b}".into()),
            opens: None,
            connected_seconds: Some(60),
            idle_seconds: Some(0),
            user_flags: None,
            flags: None,
            client_type: None,
            transport: None,
        },
    ]
}

#[test]
fn a_table_for_people() {
    assert_eq!(
        table(rows().iter(), false),
        "CLIENT      USER        OPENS  CONNECTED  IDLE  FLAGS\n\
         192.0.2.10  alice           2      1h 1m    5s\n\
         [::1]       bo,b\\u{1b}      -      1m 0s    0s  -\n"
    );
    assert!(table(rows().iter(), true).contains(r"\Device\NetbiosSmb"));
}

#[test]
fn json_has_every_field() {
    let rows = rows();
    let listing = document::Listing {
        schema_version: SCHEMA_VERSION,
        server: "srv:445",
        level: 502,
        sessions: &rows,
    };
    let value: serde_json::Value = serde_json::from_slice(&json(&listing).unwrap()).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["server"], "srv:445");
    assert_eq!(value["level"], 502);
    assert_eq!(value["sessions"][0]["opens"], 2);
    assert_eq!(value["sessions"][0]["transport"], r"\Device\NetbiosSmb");
    let other = value["sessions"][1].as_object().unwrap();
    assert_eq!(other.len(), 9);
    assert!(other["opens"].is_null() && other["flags"].is_null());
    assert_eq!(other["user"], "bo,b\u{1b}");
}

#[test]
fn csv_quotes() {
    assert_eq!(
        csv(&FIELDS),
        "client,user,opens,connected_seconds,idle_seconds,flags,client_type,transport\n"
    );
    assert_eq!(
        csv(&values(&rows()[0])),
        "192.0.2.10,alice,2,3661,5,,,\\Device\\NetbiosSmb\n"
    );
    assert_eq!(csv(&values(&rows()[1])), "[::1],\"bo,b\\u{1b}\",,60,0,,,\n");
    assert_eq!(csv(&["a\"b", "c\r\nd", ""]), "\"a\"\"b\",\"c\r\nd\",\n");
}

#[test]
fn plain_has_tabs_only_between_fields() {
    for row in rows() {
        let line = plain(&values(&row));
        assert_eq!(line.matches('\t').count(), 7);
        assert_eq!(line.matches('\n').count(), 1);
    }
    assert!(plain(&values(&rows()[0])).starts_with("192.0.2.10\talice\t2\t3661\t5\t"));
}

#[test]
fn details_name_what_is_absent() {
    let text = details(&rows()[1]);
    assert!(text.contains("Opens      -\n"), "{text}");
    assert!(text.contains("Connected  1m 0s (60 seconds)\n"), "{text}");
    assert!(details(&rows()[0]).contains("Type       (empty)\n"));
}
