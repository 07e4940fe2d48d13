//! Finds the pod that the process runs in, from the variables that the Downward API sets.

use super::pairs::Pair;

/// The file in which Kubernetes mounts the namespace of the pod's service account.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// The attributes, and the variables that manifests customarily use for each. The Downward API
/// itself defines no names.
const VARIABLES: [(&str, &[&str]); 7] = [
    ("k8s.pod.name", &["K8S_POD_NAME", "POD_NAME", "OTEL_RESOURCE_ATTRIBUTES_POD_NAME"]),
    ("k8s.pod.uid", &["K8S_POD_UID", "POD_UID", "OTEL_RESOURCE_ATTRIBUTES_POD_UID"]),
    ("k8s.namespace.name", &["K8S_NAMESPACE_NAME", "K8S_NAMESPACE", "POD_NAMESPACE"]),
    ("k8s.node.name", &["K8S_NODE_NAME", "NODE_NAME", "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME"]),
    ("k8s.container.name", &["K8S_CONTAINER_NAME", "CONTAINER_NAME"]),
    ("k8s.deployment.name", &["K8S_DEPLOYMENT_NAME"]),
    ("k8s.cluster.name", &["K8S_CLUSTER_NAME"]),
];

/// Returns the attributes of the pod, or none outside of Kubernetes.
pub(super) fn attributes(
    lookup: impl Fn(&str) -> Option<String>,
    read: impl Fn(&str) -> String,
) -> impl Iterator<Item = Pair> {
    let set = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is_inside = set("KUBERNETES_SERVICE_HOST").is_some();
    let value = |key: &str, names: &[&str]| {
        names.iter().find_map(|name| set(name)).or_else(|| match key {
            // A pod's host name is the pod's name, unless the manifest sets another one.
            "k8s.pod.name" => set("HOSTNAME"),
            "k8s.namespace.name" => Some(read(NAMESPACE_FILE).trim().to_owned()).filter(|name| !name.is_empty()),
            _ => None,
        })
    };
    let pairs: Vec<Pair> = if is_inside {
        VARIABLES.iter().filter_map(|(key, names)| Some(((*key).to_owned(), value(key, names)?))).collect()
    } else {
        Vec::new()
    };
    pairs.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)], namespace: &str) -> Vec<(String, String)> {
        let lookup = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        attributes(lookup, |_| namespace.to_owned()).collect()
    }

    #[test]
    fn a_pod_is_known_by_its_variables_its_host_and_the_mounted_namespace() {
        let inside = ("KUBERNETES_SERVICE_HOST", "10.0.0.1");
        let of_host = of(&[inside, ("HOSTNAME", "rag-7d9f-x2"), ("NODE_NAME", " ")], "shop\n");
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(of_host, [pair("k8s.pod.name", "rag-7d9f-x2"), pair("k8s.namespace.name", "shop")]);
        let of_variables =
            of(&[inside, ("HOSTNAME", "h"), ("POD_NAME", "p"), ("K8S_POD_UID", "u"), ("POD_NAMESPACE", "n")], "");
        let expected = [pair("k8s.pod.name", "p"), pair("k8s.pod.uid", "u"), pair("k8s.namespace.name", "n")];
        assert_eq!(of_variables, expected);
    }

    #[test]
    fn outside_of_kubernetes_nothing_is_said() {
        assert!(of(&[("HOSTNAME", "laptop"), ("POD_NAME", "p")], "default").is_empty());
    }
}
