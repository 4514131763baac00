-- kstatus compatible. Only the base library and ipairs: scripts that are pasted into argocd-cm get nothing else.
-- The order of the questions: has the operator seen this generation and this command, has it failed, may the
-- application roll out, does it wait for a person; whatever else there is goes on.

local function progressing(message)
  return {status = "Progressing", message = message}
end

local metadata = obj.metadata or {}
local status = obj.status
if status == nil or status.observedGeneration == nil or status.observedGeneration ~= metadata.generation then
  return progressing("Waiting for the operator")
end

local annotations = metadata.annotations or {}
local retry = annotations["headway.dev/retry"]
if retry ~= nil and retry ~= status.lastHandledRetry then
  return progressing("Waiting for the operator to take up the retry")
end

local current = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.observedGeneration == metadata.generation then
    current[condition.type] = condition
  end
end

local function is_true(kind)
  return current[kind] ~= nil and current[kind].status == "True"
end

local function message_of(kind)
  return current[kind] ~= nil and current[kind].message or ""
end

if is_true("Stalled") then
  return {status = "Degraded", message = message_of("Stalled")}
end

if is_true("Ready") then
  -- What is left behind the open gate never closes it: it is told, and alerts watch it.
  return {status = "Healthy", message = message_of("Succeeded")}
end

local waits = {WaitingForApproval = true, Paused = true, Suspended = true}
if is_true("Reconciling") and waits[current["Reconciling"].reason] then
  return {status = "Suspended", message = message_of("Reconciling")}
end

local progress = status.progress or {}
local text = message_of("Reconciling")
if progress.summary ~= nil and progress.summary ~= "" then
  text = progress.summary .. ": " .. text
end
return progressing(text)
