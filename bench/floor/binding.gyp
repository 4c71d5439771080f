{
  "target_defaults": {
    "cflags": ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
  },
  "targets": [
    {
      "target_name": "floor",
      "type": "executable",
      "sources": [
        "main.c",
        "settings.c",
        "process.c",
        "net.c",
        "histogram.c",
        "pattern.c",
        "http_head.c",
        "http_response.c",
        "http_request.c",
        "server.c",
        "serve_stream.c",
        "serve_http.c",
        "serve_relay.c",
        "client.c",
        "link.c",
        "load_echo.c",
        "load_bulk.c",
        "load_relay.c",
        "load_http.c"
      ],
      "cflags": ["-std=c11"],
      "conditions": [
        ["OS=='mac'", {
          "sources": ["sys_darwin.c"],
          "xcode_settings": {
            "GCC_C_LANGUAGE_STANDARD": "c11",
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
            "WARNING_CFLAGS": ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
          }
        }, {
          "sources": ["sys_linux.c"],
          "libraries": ["-lm"],
          "defines": ["_GNU_SOURCE"]
        }]
      ]
    }
  ]
}
