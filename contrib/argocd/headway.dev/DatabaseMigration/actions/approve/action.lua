-- The digest of the plan that is shown now: a plan that has changed by then is not approved by it.
local plan = obj.status ~= nil and obj.status.plan or nil
if plan == nil or plan.digest == nil or plan.digest == "" then
  error("There is no plan to approve yet")
end
if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["headway.dev/approve"] = plan.digest
return obj
