"""Sample answers of a Posit Workbench about its clusters."""

BOTH = {"supports_interactive_sessions": True, "supports_adhoc_jobs": True}


ANSWER = {
    "clusters": [
        {
            "name": "Local",
            "type": "Local",
            "supportsContainers": False,
            "images": ["ignored"],
            "workbenches": {"RStudio": BOTH, "JupyterLab": BOTH, "VS Code": BOTH},
        },
        {
            "name": "Kubernetes",
            "type": "Kubernetes",
            "supportsContainers": True,
            "images": ["r:4", {"name": "r:5"}],
            "defaultImage": "r:5",
            "queues": ["long"],
            "config": [{"name": "a", "value": True, "valueType": "bool"}],
            "resourceLimits": [
                {"type": "cpuCount", "maxValue": "8", "defaultValue": "2"},
                {"name": "memory", "valueType": "int", "max_value": 4096, "default_value": "512"},
            ],
            "resourceProfiles": [{"name": "small", "cpus": 1}, "custom"],
            "placementConstraints": [
                {"name": "zone", "value": "a"},
                {"name": "zone", "value": "b"},
                {"name": "node", "value": ""},
            ],
            "workbenches": {
                "RStudio": {"supports_interactive_sessions": False, "supports_adhoc_jobs": False},
                "JupyterLab": {"supports_adhoc_jobs": False},
            },
        },
    ],
    "workbenches": {
        "RStudio": {
            "default_cluster": "Localhost",
            "default_image": "r:4",
            "lang": {"name": "R", "available": True},
        },
        "JupyterLab": {
            "default_cluster": "Kubernetes",
            "default_image": "",
            "lang": {"name": "Jupyter", "available": True},
        },
        "VS Code": {
            "default_cluster": "Local",
            "default_image": "",
            "lang": {"name": "code-server", "available": False},
        },
        "Positron": {
            "default_cluster": "Local",
            "default_image": "",
            "lang": {"name": "", "available": True},
        },
    },
}
