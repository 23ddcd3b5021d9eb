//! What administration asks about opens and tree connects ([MS-SMB2] 3.3.4.19, 3.3.4.20).

use super::*;

fn filter<'a>(client_name: Option<&'a str>, user_name: Option<&'a str>) -> SessionFilter<'a> {
    SessionFilter {
        client_name,
        user_name,
    }
}

#[tokio::test]
async fn opens_and_tree_connects_by_client_and_user_are_those_of_a_look_at_all() {
    let scene = Scene::new(|_| {});
    let (here, there) = (scene.connect(ALICE).await, scene.connect(BOB).await);
    let mut opens = Vec::new();
    let mut sessions = Vec::new();
    for (connection, user) in [(&here, "alice"), (&there, "bob"), (&here, "bob")] {
        let session = logon(connection, user).await;
        let tree = session.tree_connect("test", "data").await.unwrap();
        sessions.push((session, tree));
    }
    // Ids of one session's opens are not next to each other.
    for round in 0..3 {
        for (number, (_, tree)) in sessions.iter().enumerate() {
            let name = format!("{round}.{number}");
            opens.push(tree.create(&name, &Create::overwrite()).await.unwrap());
        }
    }
    let application = scene.application();
    let all = application.opens(SessionFilter::default(), 0, 100);
    let trees = application.tree_connects(SessionFilter::default());
    assert_eq!((all.rows.len(), all.total, trees.len()), (9, 9, 3));
    for (client, user, expected) in [
        (Some("192.0.2.10"), None, 6),
        (Some("192.0.2.11"), None, 3),
        (None, Some("BOB"), 6),
        (Some("192.0.2.10"), Some("bob"), 3),
        (Some("192.0.2.12"), None, 0),
        (None, Some("carol"), 0),
    ] {
        let passes = |its_client: &str, its_user: &str| {
            client.is_none_or(|name| name == its_client)
                && user.is_none_or(|name| name.eq_ignore_ascii_case(its_user))
        };
        let mut wanted = all.rows.clone();
        wanted.retain(|row| passes(&row.client_name, &row.user_name));
        assert_eq!(wanted.len(), expected);
        let filter = filter(client, user);
        assert_eq!(application.opens(filter, 0, 100).rows, wanted);
        for after in 0..all.rows[8].id {
            let page = application.opens(filter, after, 2);
            let behind = || wanted.iter().filter(|row| row.id > after);
            assert_eq!(page.total as usize, behind().count());
            assert!(page.rows.iter().eq(behind().take(2)), "behind {after}");
        }
        let mut wanted = trees.clone();
        wanted.retain(|tree| passes(&tree.client_name, &tree.user_name));
        assert_eq!(application.tree_connects(filter), wanted);
    }
}
