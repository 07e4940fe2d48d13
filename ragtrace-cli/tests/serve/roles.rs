//! Tokens with roles: PostgreSQL decides what each sees.

use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store::PostgresSink;

use crate::client::Answer;
use crate::cluster::Cluster;
use crate::refusals::tokens;
use crate::support::{File, Make, TRACE, batch};
use crate::viewer::{Viewer, refused, runtime};

const OF_B: &str = "0199a1c2-7b1e-7a54-9c01-bbbbbbbbbbbb";
const TOKENS: &str = "token-that-reads-all\ntoken-of-tenant-a view_a\ntoken-of-tenant-b view_b\n";

fn failed(tenant: &str, trace: &str, span: u64) -> Record {
    let make = Make::new("failed", &format!("stage_of_{tenant}"), span, 0).trace(trace);
    let error = serde_json::json!({"type": "Error", "message": format!("secret of {tenant}"), "chain": []});
    make.with("tenant_id", tenant)
        .with("timestamp", Timestamp::now().to_string())
        .with("error", error)
        .with("local_root", true)
        .record()
}

#[test]
fn a_token_with_a_role_sees_its_tenant_alone_on_every_page() {
    let cluster = Cluster::shared();
    let url = cluster.database();
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let sink = PostgresSink::new(&*url);
    let records = [failed("a", TRACE, 1), failed("b", OF_B, 2)];
    runtime().block_on(sink.deliver(&batch(records))).expect("delivered");
    runtime().block_on(sink.close());
    for (role, tenant) in [("view_a", "a"), ("view_b", "b")] {
        cluster.sql(
            &name,
            &format!("CREATE ROLE {role}; SET search_path = ragtrace; SELECT allow_reader('{role}', '{tenant}')"),
        );
    }
    let folder = File::new();
    let viewer = Viewer::of(&url, &["--tokens", &tokens(&folder, TOKENS), "--allow-writes"]);
    let get = |token: &str, path: &str| viewer.get_with(path, &[("authorization", &format!("Bearer {token}"))]);
    for path in ["/", "/traces.json", "/stages", "/errors", "/errors?view=rows", "/live", "/live.json"] {
        let seen = |answer: Answer| (answer.body.contains("stage_of_a"), answer.body.contains("stage_of_b"));
        assert_eq!(seen(get("token-of-tenant-a", path).expect(200)), (true, false), "{path}");
        assert_eq!(seen(get("token-of-tenant-b", path).expect(200)), (false, true), "{path}");
        assert_eq!(seen(get("token-that-reads-all", path).expect(200)), (true, true), "{path}");
    }
    assert_eq!(get("token-of-tenant-a", "/traces.json?tenant=b").json(), serde_json::json!([]));
    assert_eq!(get("token-of-tenant-a", &format!("/find?q={}", &OF_B[..28])).status, 404);
    let score = |token: &str, trace: &str| {
        let body = format!(r#"{{"trace_id":"{trace}","name":"helpful","value":true}}"#);
        viewer.post("/api/scores", &[("authorization", &format!("Bearer {token}"))], &body).status
    };
    assert_eq!((score("token-of-tenant-a", OF_B), score("token-of-tenant-a", TRACE)), (404, 201));
    assert_eq!(get("token-of-tenant-b", "/scores.json").json(), serde_json::json!([]));
    assert_eq!(get("token-of-tenant-a", "/scores.json").json().as_array().map(Vec::len), Some(1));
}

#[test]
fn a_role_that_would_see_all_tenants_is_refused_at_the_start() {
    let cluster = Cluster::shared();
    let url = cluster.database();
    let name = url.rsplit('/').next().expect("a name").to_owned();
    let sink = PostgresSink::new(&*url);
    runtime().block_on(sink.deliver(&batch([failed("a", TRACE, 1)]))).expect("delivered");
    runtime().block_on(sink.close());
    cluster.sql(
        &name,
        "CREATE ROLE view_above BYPASSRLS; SET search_path = ragtrace; SELECT allow_reader('view_above', 'a')",
    );
    cluster.sql(&name, "CREATE ROLE view_nothing");
    let folder = File::new();
    for (role, why) in [
        ("postgres", "every tenant"),
        ("view_above", "every tenant"),
        ("view_nothing", "allow_reader"),
        ("view_missing", "GRANT"),
        ("none", "not a role"),
    ] {
        let (code, said) = refused(&url, &["--tokens", &tokens(&folder, &format!("0123456789abcdef {role}\n"))]);
        assert_eq!(code, Some(2), "{role}: {said}");
        assert!(said.contains(why), "{role}: {said}");
    }
}
