// Request ids: every request gets one, passes it on and shows it in its response.
//
// config.go reads the configuration, id.go makes and checks ids, this file talks to the host.
package main

import (
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm"
	"github.com/proxy-wasm/proxy-wasm-go-sdk/proxywasm/types"
)

func main() {}

func init() {
	proxywasm.SetPluginContext(func(uint32) types.PluginContext { return &plugin{} })
}

// plugin keeps the configuration.
type plugin struct {
	types.DefaultPluginContext
	config config
}

func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	// Without a configuration the host answers with an error; that means the defaults.
	text, _ := proxywasm.GetPluginConfiguration()
	parsed, err := parseConfig(text)
	if err != nil {
		proxywasm.LogErrorf("request-id: configuration refused: %v", err)
		return types.OnPluginStartStatusFailed
	}
	p.config = parsed
	return types.OnPluginStartStatusOK
}

func (p *plugin) NewHttpContext(uint32) types.HttpContext {
	return &request{config: &p.config}
}

// request is one request and its id.
type request struct {
	types.DefaultHttpContext
	config *config
	id     string
}

func (r *request) OnHttpRequestHeaders(int, bool) types.Action {
	if r.config.TrustIncoming {
		// An absent header is an error of this call; the empty id is not valid.
		if id, _ := proxywasm.GetHttpRequestHeader(r.config.Header); isValid(id, r.config.MaxLength) {
			r.id = id
			return types.ActionContinue
		}
	}
	id, err := newID(r.config.Format)
	if err != nil {
		proxywasm.LogErrorf("request-id: no id: %v", err)
		return types.ActionContinue
	}
	if err := proxywasm.ReplaceHttpRequestHeader(r.config.Header, id); err != nil {
		proxywasm.LogErrorf("request-id: the request header cannot be set: %v", err)
	}
	r.id = id
	return types.ActionContinue
}

func (r *request) OnHttpResponseHeaders(int, bool) types.Action {
	if !r.config.Response || r.id == "" {
		return types.ActionContinue
	}
	if err := proxywasm.ReplaceHttpResponseHeader(r.config.Header, r.id); err != nil {
		proxywasm.LogErrorf("request-id: the response header cannot be set: %v", err)
	}
	return types.ActionContinue
}
