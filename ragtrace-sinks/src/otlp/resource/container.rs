//! Finds the id of the container that the process runs in.

/// The number of digits in an id, for Docker, containerd and CRI-O.
const LENGTH: usize = 64;

/// Returns the container's id: from `/proc/self/cgroup`, which contains it with version 1 of
/// control groups, else from `/proc/self/mountinfo`, if files of the container's host are mounted.
pub(super) fn id(cgroup: &str, mountinfo: &str) -> Option<String> {
    let of_group = |line: &str| of_segment(line.rsplit('/').next()?);
    cgroup.lines().find_map(of_group).or_else(|| mountinfo.lines().find_map(of_mount))
}

/// Returns the id in the last segment of a group's path, such as `docker-<id>.scope`.
fn of_segment(segment: &str) -> Option<String> {
    let segment = segment.trim().strip_suffix(".scope").unwrap_or(segment.trim());
    let id = segment.rsplit(['-', ':']).next()?;
    is_id(id).then(|| id.to_owned())
}

/// Returns the id in the root of a mount, such as `/var/lib/docker/containers/<id>/hostname`
/// (proc(5): the fourth field). The id of a pod's sandbox, which contains the pod's files, is not
/// the container's.
fn of_mount(line: &str) -> Option<String> {
    let root = line.split(' ').nth(3)?;
    let mut segments = root.split('/').skip_while(|segment| *segment != "containers").skip(1);
    let id = segments.next().filter(|id| is_id(id))?;
    let is_sandbox = root.contains("/sandboxes/") || root.contains("/sandbox/");
    (!is_sandbox).then(|| id.to_owned())
}

fn is_id(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3f2a9c5d7e1b4f608a6d2c9e5b7f1a3d4c8e6f0a2b5d7c9e1f3a6b8d0c2e4f68";

    #[test]
    fn an_id_is_found_in_groups_of_version_1_of_every_runtime() {
        for path in [
            format!("/docker/{ID}"),
            format!("/system.slice/docker-{ID}.scope"),
            format!("/kubepods/besteffort/pod12/{ID}"),
            format!("/kubepods.slice/kubepods-pod12.slice/cri-containerd-{ID}.scope"),
            format!("/kubepods.slice/crio-{ID}.scope"),
            format!("/system.slice/containerd.service/kubepods-pod12.slice:cri-containerd:{ID}"),
        ] {
            let cgroup = format!("12:pids:{path}\n11:cpu:{path}\n");
            assert_eq!(id(&cgroup, "").as_deref(), Some(ID), "{path}");
        }
    }

    #[test]
    fn an_id_is_found_in_mounts_where_groups_are_of_version_2() {
        let mount = format!(
            "735 725 254:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/vda1 rw\n"
        );
        assert_eq!(id("0::/\n", &mount).as_deref(), Some(ID));
    }

    #[test]
    fn a_process_in_no_container_and_a_sandbox_have_none() {
        assert_eq!(id("0::/user.slice/user-1000.slice/session-2.scope\n", ""), None);
        assert_eq!(id("", ""), None);
        let sandbox =
            format!("1 2 0:1 /var/lib/containerd/sandboxes/containers/{ID}/hostname /etc/hostname rw - tmpfs t rw");
        assert_eq!(id("0::/\n", &sandbox), None);
        let short = format!("1 2 0:1 /var/lib/docker/containers/{}/hostname /etc/hostname rw - tmpfs t rw", &ID[1..]);
        assert_eq!(id("0::/\n", &short), None);
    }
}
