-- Only annotations are written, never spec: a self-heal puts spec back as Git has it.
local actions = {}

local metadata = obj.metadata or {}
local annotations = metadata.annotations or {}
local status = obj.status or {}
local run = status.run or {}
local is_over = run.completionTime ~= nil

local current = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.observedGeneration == metadata.generation then
    current[condition.type] = condition
  end
end
local reconciling = current["Reconciling"]
local stalled = current["Stalled"]
local waits_for_approval = reconciling ~= nil and reconciling.status == "True"
  and reconciling.reason == "WaitingForApproval"

actions["retry"] = {
  ["iconClass"] = "fa fa-fw fa-rotate-right",
  ["displayName"] = "Retry",
  ["disabled"] = not (stalled ~= nil and stalled.status == "True"),
}

local paused = annotations["headway.dev/paused"]
if paused ~= nil and paused ~= "" and paused ~= "false" then
  actions["resume"] = {["iconClass"] = "fa fa-fw fa-play", ["displayName"] = "Resume"}
else
  actions["pause"] = {["iconClass"] = "fa fa-fw fa-pause", ["displayName"] = "Pause", ["disabled"] = is_over}
end

actions["approve"] = {
  ["iconClass"] = "fa fa-fw fa-check",
  ["displayName"] = "Approve the plan",
  ["disabled"] = not waits_for_approval,
}

actions["abort"] = {
  ["iconClass"] = "fa fa-fw fa-stop",
  ["displayName"] = "Abort at a safe point",
  ["disabled"] = is_over or status.run == nil,
}

return actions
